export { AuthModule } from './auth.module.js';
export { KeyRotationService } from './keys/key-rotation.service.js';
export { SettingEntity } from './keys/setting.entity.js';
export { SharedSettingsService } from './keys/shared-settings.service.js';
export { SigningKeyEntity } from './keys/signing-key.entity.js';
export { SigningKeysService } from './keys/signing-keys.service.js';
export { LoginChallengeEntity } from './login/login-challenge.entity.js';
export { LoginDelayEntity } from './login/login-delay.entity.js';
export {
  type ChangePassword,
  changePasswordSchema,
  completeLoginSchema,
  type Login,
  loginSchema,
  type Reauthenticate,
  reauthenticateSchema,
} from './login/login.schema.js';
export { LoginDelaysService } from './login/login-delays.service.js';
export { LoginService } from './login/login.service.js';
export { PasswordChangeService } from './login/password-change.service.js';
export {
  type ConfirmEmail,
  confirmEmailSchema,
  type RequestVerification,
  requestVerificationSchema,
} from './recovery/email-verification.schema.js';
export { EmailVerificationService } from './recovery/email-verification.service.js';
export { PasswordUpdateService } from './login/password-update.service.js';
export { ReauthenticationService } from './login/reauthentication.service.js';
export { SecondFactorLoginService } from './login/second-factor-login.service.js';
export { SecondFactorRemovalService } from './login/second-factor-removal.service.js';
export { OneTimeTokenEntity } from './recovery/one-time-token.entity.js';
export { PasswordResetRequests } from './recovery/password-reset-requests.js';
export {
  type ConfirmPasswordReset,
  confirmPasswordResetSchema,
  type RequestPasswordReset,
  requestPasswordResetSchema,
} from './recovery/password-reset.schema.js';
export { PasswordResetService } from './recovery/password-reset.service.js';
export { RecoveryCodeEntity } from './second-factor/recovery-code.entity.js';
export { SecondFactorResetService } from './second-factor/second-factor-reset.service.js';
export { SecondFactorSetupService } from './second-factor/second-factor-setup.service.js';
export { confirmTotpSchema } from './second-factor/second-factor.schema.js';
export { SecondFactorEntity } from './second-factor/second-factor.entity.js';
export { SessionEndService } from './sessions/session-end.service.js';
export { SessionEntity } from './sessions/session.entity.js';
export {
  logoutSchema,
  type Refresh,
  refreshSchema,
  sessionIdSchema,
  sessionOwnerSchema,
  type SessionView,
} from './sessions/sessions.schema.js';
export { ownerOf } from './sessions/session-owner.js';
export { SessionsService } from './sessions/sessions.service.js';
export type { AccessToken, TokenPair } from './tokens/tokens.schema.js';
