import { Global, Module } from '@nestjs/common';
import { JwtModule } from '@nestjs/jwt';
import { PassportModule } from '@nestjs/passport';

import { MailModule } from '#libs/mail';
import { AuditModule } from '#libs/security/audit';
import { PasswordsModule } from '#libs/security/passwords';
import { TokenVerifier } from '#libs/platform/access';
import { RevocationModule } from '#libs/security/revocation';
import { RolesModule } from '#libs/roles';
import { AddressProofs, UsersModule } from '#libs/users';

import { AuthRetention } from './auth.retention.js';
import { KeyRotationService } from './keys/key-rotation.service.js';
import { SharedSettingsService } from './keys/shared-settings.service.js';
import { SigningKeysRepository } from './keys/signing-keys.repository.js';
import { SigningKeysService } from './keys/signing-keys.service.js';
import { DeviceCookie } from './login/device-cookie.js';
import { FinishedLogins } from './login/finished-logins.service.js';
import { LoginAttemptsRepository } from './login/login-attempts.repository.js';
import { LoginChallengesService } from './login/login-challenges.service.js';
import { LoginController } from './login/login.controller.js';
import { LoginDelaysService } from './login/login-delays.service.js';
import { LoginService } from './login/login.service.js';
import { NewPasswordEffects } from './login/new-password-effects.js';
import { PasswordChangeService } from './login/password-change.service.js';
import { NewSignIns } from './login/new-sign-ins.service.js';
import { OwnProofService } from './login/own-proof.service.js';
import { PasswordUpdateService } from './login/password-update.service.js';
import { PasswordController } from './login/password.controller.js';
import { Proofs } from './login/proofs.service.js';
import { ReauthenticationService } from './login/reauthentication.service.js';
import { SecondFactorLoginService } from './login/second-factor-login.service.js';
import { SecondFactorRemovalController } from './login/second-factor-removal.controller.js';
import { SecondFactorRemovalService } from './login/second-factor-removal.service.js';
import { ClientCredentialsService } from './oauth/client-credentials.service.js';
import { OAuthController } from './oauth/oauth.controller.js';
import { OAuthService } from './oauth/oauth.service.js';
import { TokenExplanationService } from './oauth/token-explanation.service.js';
import { WellKnownController } from './oauth/well-known.controller.js';
import { EmailVerificationController } from './recovery/email-verification.controller.js';
import { EmailVerificationDelivery } from './recovery/email-verification.delivery.js';
import { EmailVerificationService } from './recovery/email-verification.service.js';
import { MailedProofs } from './recovery/mailed-proofs.js';
import { OneTimeTokensRepository } from './recovery/one-time-tokens.repository.js';
import { PasswordResetMails } from './recovery/password-reset-mails.js';
import { PasswordResetRequests } from './recovery/password-reset-requests.js';
import { PasswordResetController } from './recovery/password-reset.controller.js';
import { PasswordResetService } from './recovery/password-reset.service.js';
import { OneTimeProofs } from './recovery/one-time-proofs.js';
import { FactorKey } from './second-factor/factor-key.js';
import { SecondFactorNotices } from './second-factor/second-factor-notices.service.js';
import { SecondFactorResetController } from './second-factor/second-factor-reset.controller.js';
import { SecondFactorResetService } from './second-factor/second-factor-reset.service.js';
import { SecondFactorSetupService } from './second-factor/second-factor-setup.service.js';
import { SecondFactorController } from './second-factor/second-factor.controller.js';
import { SecondFactorRetention } from './second-factor/second-factor.retention.js';
import { SecondFactorsRepository } from './second-factor/second-factors.repository.js';
import { SecondFactorsService } from './second-factor/second-factors.service.js';
import { RefreshTokens } from './sessions/refresh-tokens.js';
import { SessionAuthenticationRepository } from './sessions/session-authentication.repository.js';
import { SessionEndService } from './sessions/session-end.service.js';
import { SessionTokensController } from './sessions/session-tokens.controller.js';
import { SessionsController } from './sessions/sessions.controller.js';
import { SessionsRepository } from './sessions/sessions.repository.js';
import { SessionsService } from './sessions/sessions.service.js';
import { AccessTokenVerifier } from './tokens/access-token.verifier.js';
import { JwtStrategy } from './tokens/jwt.strategy.js';
import { TokenAudiences } from './tokens/token-audiences.js';
import { TokenIssuerService } from './tokens/token-issuer.service.js';

/**
 * Global, so that guard and health can ask for the `TokenVerifier`, and users for `AddressProofs`,
 * without knowing who answers.
 */
@Global()
@Module({
  imports: [
    AuditModule,
    JwtModule.register({}),
    MailModule,
    PassportModule,
    PasswordsModule,
    RevocationModule,
    RolesModule,
    UsersModule,
  ],
  // in the order of the OpenAPI document
  controllers: [
    LoginController,
    SessionTokensController,
    EmailVerificationController,
    OAuthController,
    PasswordResetController,
    SessionsController,
    PasswordController,
    SecondFactorController,
    SecondFactorRemovalController,
    SecondFactorResetController,
    WellKnownController,
  ],
  providers: [
    AccessTokenVerifier,
    AuthRetention,
    ClientCredentialsService,
    DeviceCookie,
    EmailVerificationDelivery,
    EmailVerificationService,
    FactorKey,
    FinishedLogins,
    JwtStrategy,
    KeyRotationService,
    LoginAttemptsRepository,
    LoginChallengesService,
    LoginDelaysService,
    LoginService,
    NewPasswordEffects,
    NewSignIns,
    OAuthService,
    OneTimeTokensRepository,
    OwnProofService,
    PasswordChangeService,
    PasswordResetMails,
    PasswordResetRequests,
    PasswordResetService,
    PasswordUpdateService,
    OneTimeProofs,
    Proofs,
    ReauthenticationService,
    RefreshTokens,
    SecondFactorNotices,
    SecondFactorResetService,
    SecondFactorRetention,
    SecondFactorSetupService,
    SecondFactorsRepository,
    SecondFactorsService,
    SecondFactorLoginService,
    SecondFactorRemovalService,
    SessionAuthenticationRepository,
    SessionEndService,
    SessionsRepository,
    SessionsService,
    SharedSettingsService,
    SigningKeysRepository,
    SigningKeysService,
    TokenAudiences,
    TokenExplanationService,
    TokenIssuerService,
    { provide: AddressProofs, useClass: MailedProofs },
    { provide: TokenVerifier, useExisting: AccessTokenVerifier },
  ],
  exports: [
    AddressProofs,
    EmailVerificationService,
    KeyRotationService,
    LoginDelaysService,
    LoginService,
    PasswordChangeService,
    PasswordResetRequests,
    PasswordResetService,
    PasswordUpdateService,
    ReauthenticationService,
    SecondFactorLoginService,
    SecondFactorRemovalService,
    SecondFactorResetService,
    SecondFactorSetupService,
    SessionEndService,
    SessionsService,
    SharedSettingsService,
    SigningKeysService,
    TokenVerifier,
  ],
})
export class AuthModule {}
