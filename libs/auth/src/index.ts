export { AuthModule } from './auth.module.js';
export {
  type ChangePassword,
  changePasswordSchema,
  type Login,
  loginSchema,
  logoutSchema,
  type Refresh,
  refreshSchema,
  sessionIdSchema,
  sessionOwnerSchema,
  type SessionView,
  type TokenPair,
} from './auth.schema.js';
export { KeyRotation } from './keys/key-rotation.service.js';
export { SettingEntity } from './keys/setting.entity.js';
export { SharedSettings } from './keys/shared-settings.service.js';
export { SigningKeyEntity } from './keys/signing-key.entity.js';
export { SigningKeys } from './keys/signing-keys.service.js';
export { LoginDelayEntity } from './login/login-delay.entity.js';
export { LoginDoor } from './login/login-door.js';
export { PasswordChange } from './password-change.service.js';
export { ownerOf } from './sessions/session-access.js';
export { SessionEnd } from './sessions/session-end.service.js';
export { SessionsService } from './sessions/sessions.service.js';
export { SessionEntity } from './sessions/session.entity.js';
