export type { HashFault, HashLimits } from './foreign/hash-format.js';
export { faultOfHash, noPassword } from './foreign/read-hash.js';
export { NewPassword } from './new-password.service.js';
export { PasswordHasher } from './password-hasher.js';
export { PasswordPolicy } from './password-policy.js';
export { PasswordsModule } from './passwords.module.js';
