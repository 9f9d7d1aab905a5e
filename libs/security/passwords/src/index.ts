export { refuseHashingWhenFull } from './flood/refuse-when-full.js';
export type { HashFault, HashLimits } from './foreign/hash-format.js';
export { faultOfHash, noPassword } from './foreign/read-hash.js';
export { Passwords } from './passwords.js';
export { PasswordsModule } from './passwords.module.js';
