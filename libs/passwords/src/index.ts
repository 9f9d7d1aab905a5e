export { NewPassword } from './new-password.service.js';
export { PasswordHasher } from './password-hasher.js';
export { PasswordPolicy } from './password-policy.js';
export { overloaded } from './work-queue.js';
export { PasswordsModule } from './passwords.module.js';
