import { type KeyObject, randomUUID } from 'node:crypto';

import { Inject, Injectable } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';

import type { Role } from '#libs/platform/access';
import { type Config, CONFIG } from '#libs/platform/config';
import { DatabaseClock } from '#libs/platform/database';
import { AppError } from '#libs/platform/errors';

import { SigningKeys } from '../keys/signing-keys.service.js';
import { accessTokenType, algorithm, type Claims } from './access-token.js';

/** Of whom a token speaks. */
export type TokenSubject = {
  readonly userId: string;
  readonly sessionId: string;
  readonly clientId: string;
  readonly roles: readonly Role[];
  readonly tokenGeneration: number;
  /** When the user last gave the password, in Unix seconds. */
  readonly authTime: number;
  /** Until the session ends if nothing keeps it going: no token outlives it. */
  readonly sessionSecondsLeft: number;
};

/** A key that a token can be signed with. */
export type SigningKey = { readonly id: string; readonly privateKey: KeyObject };

export type IssuedToken = { readonly accessToken: string; readonly expiresIn: number };

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

  /**
   * The key to sign with now. Whoever writes something before a token is issued takes the key first, so that nothing is
   * recorded for an answer that cannot be given.
   * @throws AppError `unavailable`
   */
  signingKey(): SigningKey {
    const { id, privateKey } = this.keys.ring.signing(this.clock.nowMs()) ?? {};
    if (id !== undefined && privateKey) return { id, privateKey };
    const cause = new Error('There is no key that this replica can sign with');
    throw new AppError('unavailable', { cause, headers: { 'retry-after': '2' } });
  }

  issue(subject: TokenSubject, { id, privateKey }: SigningKey): IssuedToken {
    const { userId, sessionId, clientId, roles, tokenGeneration, authTime, sessionSecondsLeft } = subject;
    const now = this.clock.nowMs() / 1000;
    const iat = Math.floor(now);
    const exp = Math.min(iat + this.config.ACCESS_TOKEN_TTL_SECONDS, Math.floor(now + sessionSecondsLeft));
    const claims: Claims = {
      iss: this.config.ISSUER,
      sub: userId,
      aud: this.config.AUDIENCE,
      exp,
      iat,
      jti: randomUUID(),
      sid: sessionId,
      client_id: clientId,
      roles: [...roles],
      gen: tokenGeneration,
      auth_time: authTime,
    };
    const header = { alg: algorithm, typ: accessTokenType, kid: id };
    return { accessToken: this.jwt.sign(claims, { privateKey, algorithm, header }), expiresIn: exp - iat };
  }
}
