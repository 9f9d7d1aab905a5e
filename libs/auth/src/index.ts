export { AuthModule } from './auth.module.js';
export { SigningKeyEntity } from './keys/signing-key.entity.js';
export { SigningKeys } from './keys/signing-keys.service.js';
export { SessionEntity } from './sessions/session.entity.js';
