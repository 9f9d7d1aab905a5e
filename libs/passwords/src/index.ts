export { NewPassword } from './new-password.service.js';
export { PasswordHasher } from './password-hasher.js';
export { PasswordPolicy } from './password-policy.js';
export { PasswordsModule } from './passwords.module.js';
