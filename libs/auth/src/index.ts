export { AuthModule } from './auth.module.js';
export {
  type AccessToken,
  type ChangePassword,
  changePasswordSchema,
  type Login,
  loginSchema,
  logoutSchema,
  reauthenticateSchema,
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
export { LoginDelayLift } from './login/login-delay-lift.service.js';
export { LoginDelayEntity } from './login/login-delay.entity.js';
export { LoginDoor } from './login/login-door.js';
export { Reauthentication } from './login/reauthentication.service.js';
export { PasswordChange } from './password-change.service.js';
export { ownerOf } from './sessions/session-access.js';
export { SessionEnd } from './sessions/session-end.service.js';
export { SessionsService } from './sessions/sessions.service.js';
export { SessionEntity } from './sessions/session.entity.js';
