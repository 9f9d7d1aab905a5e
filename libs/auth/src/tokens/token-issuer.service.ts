import { randomUUID } from 'node:crypto';

import { Inject, Injectable } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';

import type { Role } from '#libs/platform/access';
import { type Config, CONFIG } from '#libs/platform/config';
import { DatabaseClock } from '#libs/platform/database';

import { SigningKeys } from '../keys/signing-keys.service.js';
import { accessTokenType, algorithm, type Claims } from './access-token.js';

/** Of whom a token speaks. */
export type TokenSubject = {
  readonly userId: string;
  readonly sessionId: string;
  readonly clientId: string;
  readonly roles: readonly Role[];
  readonly tokenGeneration: number;
};

/** Issues access tokens: JWTs after RFC 9068, signed with ES256. */
@Injectable()
export class TokenIssuer {
  constructor(
    private readonly jwt: JwtService,
    private readonly keys: SigningKeys,
    private readonly clock: DatabaseClock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Call before anything is written that a token shall be issued for. */
  prepare(): Promise<void> {
    return this.keys.makeFresh();
  }

  issue({ userId, sessionId, clientId, roles, tokenGeneration }: TokenSubject): string {
    const nowMs = this.clock.nowMs();
    const key = this.keys.ring.signing(nowMs);
    if (!key?.privateKey) throw new Error('There is no key to sign with');
    const iat = Math.floor(nowMs / 1000);
    const claims: Claims = {
      iss: this.config.ISSUER,
      sub: userId,
      aud: this.config.AUDIENCE,
      exp: iat + this.config.ACCESS_TOKEN_TTL_SECONDS,
      iat,
      jti: randomUUID(),
      sid: sessionId,
      client_id: clientId,
      roles: [...roles],
      gen: tokenGeneration,
    };
    return this.jwt.sign(claims, {
      privateKey: key.privateKey,
      algorithm,
      header: { alg: algorithm, typ: accessTokenType, kid: key.id },
    });
  }
}
