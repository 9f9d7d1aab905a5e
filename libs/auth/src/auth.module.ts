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
import { LoginAttemptsRepository } from './login/login-attempts.repository.js';
import { LoginController } from './login/login.controller.js';
import { LoginService } from './login/login.service.js';
import { NewPasswordEffects } from './login/new-password-effects.js';
import { PasswordChangeService } from './login/password-change.service.js';
import { PasswordController } from './login/password.controller.js';
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
import { Proofs } from './recovery/proofs.js';
import { RefreshTokens } from './sessions/refresh-tokens.js';
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
    WellKnownController,
  ],
  providers: [
    AccessTokenVerifier,
    AuthRetention,
    ClientCredentialsService,
    DeviceCookie,
    EmailVerificationDelivery,
    EmailVerificationService,
    JwtStrategy,
    KeyRotationService,
    LoginAttemptsRepository,
    LoginService,
    NewPasswordEffects,
    OAuthService,
    OneTimeTokensRepository,
    PasswordChangeService,
    PasswordResetMails,
    PasswordResetRequests,
    PasswordResetService,
    Proofs,
    RefreshTokens,
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
    LoginService,
    PasswordChangeService,
    PasswordResetRequests,
    PasswordResetService,
    SessionEndService,
    SessionsService,
    SharedSettingsService,
    SigningKeysService,
    TokenVerifier,
  ],
})
export class AuthModule {}
