import { Module } from '@nestjs/common';
import { JwtModule } from '@nestjs/jwt';
import { PassportModule } from '@nestjs/passport';

import { AuditModule } from '#libs/audit';
import { PasswordsModule } from '#libs/passwords';
import { TokenVerifier } from '#libs/platform/access';
import { RevocationModule } from '#libs/revocation';
import { UsersModule } from '#libs/users';

import { AuthController } from './auth.controller.js';
import { SigningKeysRepository } from './keys/signing-keys.repository.js';
import { SigningKeys } from './keys/signing-keys.service.js';
import { LoginService } from './login.service.js';
import { RefreshTokens } from './sessions/refresh-token.js';
import { SessionEnd } from './sessions/session-end.service.js';
import { SessionsRepository } from './sessions/sessions.repository.js';
import { SessionsService } from './sessions/sessions.service.js';
import { AccessTokenVerifier } from './tokens/access-token.verifier.js';
import { JwtStrategy } from './tokens/jwt.strategy.js';
import { TokenIssuer } from './tokens/token-issuer.service.js';
import { WellKnownController } from './well-known.controller.js';

@Module({
  imports: [AuditModule, JwtModule.register({}), PassportModule, PasswordsModule, RevocationModule, UsersModule],
  controllers: [AuthController, WellKnownController],
  providers: [
    AccessTokenVerifier,
    { provide: TokenVerifier, useExisting: AccessTokenVerifier },
    JwtStrategy,
    LoginService,
    RefreshTokens,
    SessionEnd,
    SessionsRepository,
    SessionsService,
    SigningKeys,
    SigningKeysRepository,
    TokenIssuer,
  ],
  exports: [SigningKeys, TokenVerifier],
})
export class AuthModule {}
