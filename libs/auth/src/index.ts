export { AuthModule } from './auth.module.js';
export { KeyRotation } from './keys/key-rotation.service.js';
export { SigningKeyEntity } from './keys/signing-key.entity.js';
export { SigningKeys } from './keys/signing-keys.service.js';
export { LoginDelayEntity } from './login/login-delay.entity.js';
export { SessionEntity } from './sessions/session.entity.js';
