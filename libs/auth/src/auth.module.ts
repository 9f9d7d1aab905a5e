import { Global, Module } from '@nestjs/common';
import { JwtModule } from '@nestjs/jwt';
import { PassportModule } from '@nestjs/passport';

import { AuditModule } from '#libs/security/audit';
import { PasswordsModule } from '#libs/security/passwords';
import { TokenVerifier } from '#libs/platform/access';
import { RevocationModule } from '#libs/security/revocation';
import { UsersModule } from '#libs/users';

import { AuthPersonalData } from './auth.personal-data.js';
import { AuthController } from './auth.controller.js';
import { AuthSweeps } from './auth.sweeps.js';
import { KeyRotation } from './keys/key-rotation.service.js';
import { SharedSettings } from './keys/shared-settings.service.js';
import { SigningKeysRepository } from './keys/signing-keys.repository.js';
import { SigningKeys } from './keys/signing-keys.service.js';
import { OAuthController } from './oauth/oauth.controller.js';
import { TokenExplanation } from './oauth/token-explanation.service.js';
import { TokenRevocation } from './oauth/token-revocation.service.js';
import { TokenStatus } from './oauth/token-status.service.js';
import { DeviceCookie } from './login/device-cookie.js';
import { LoginDelayLift } from './login/login-delay-lift.service.js';
import { LoginDelaysRepository } from './login/login-delays.repository.js';
import { LoginDoor } from './login/login-door.js';
import { LoginOutcomes } from './login/login-outcomes.repository.js';
import { LoginService } from './login/login.service.js';
import { PasswordProof } from './login/password-proof.service.js';
import { Reauthentication } from './login/reauthentication.service.js';
import { SessionStart } from './login/session-start.service.js';
import { PasswordChange } from './password-change.service.js';
import { SessionsController } from './sessions.controller.js';
import { RefreshTokens } from './sessions/refresh-token.js';
import { SessionEnd } from './sessions/session-end.service.js';
import { SessionsRepository } from './sessions/sessions.repository.js';
import { SessionsService } from './sessions/sessions.service.js';
import { AccessTokenVerifier } from './tokens/access-token.verifier.js';
import { JwtStrategy } from './tokens/jwt.strategy.js';
import { TokenIssuer } from './tokens/token-issuer.service.js';
import { TokenPairs } from './tokens/token-pairs.service.js';
import { WellKnownController } from './well-known.controller.js';

/** Global, so that guard and health can ask for the `TokenVerifier` without knowing who answers. */
@Global()
@Module({
  imports: [AuditModule, JwtModule.register({}), PassportModule, PasswordsModule, RevocationModule, UsersModule],
  controllers: [AuthController, OAuthController, SessionsController, WellKnownController],
  providers: [
    AccessTokenVerifier,
    AuthPersonalData,
    AuthSweeps,
    KeyRotation,
    { provide: TokenVerifier, useExisting: AccessTokenVerifier },
    JwtStrategy,
    DeviceCookie,
    LoginDelayLift,
    LoginDelaysRepository,
    LoginDoor,
    LoginOutcomes,
    LoginService,
    PasswordChange,
    PasswordProof,
    Reauthentication,
    RefreshTokens,
    SessionEnd,
    SessionStart,
    SessionsRepository,
    SessionsService,
    SharedSettings,
    SigningKeys,
    SigningKeysRepository,
    TokenExplanation,
    TokenIssuer,
    TokenPairs,
    TokenRevocation,
    TokenStatus,
  ],
  exports: [
    KeyRotation,
    LoginDelayLift,
    LoginDoor,
    PasswordChange,
    Reauthentication,
    SessionEnd,
    SessionsService,
    SharedSettings,
    SigningKeys,
    TokenVerifier,
  ],
})
export class AuthModule {}
