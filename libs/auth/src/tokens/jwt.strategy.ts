import type { KeyObject } from 'node:crypto';

import { Inject, Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { Strategy } from 'passport-jwt';

import { type Config, CONFIG } from '#libs/platform/config';
import { DatabaseClock, isUnavailable } from '#libs/platform/database';
import { AppError } from '#libs/platform/errors';

import { SigningKeys } from '../keys/signing-keys.service.js';
import {
  algorithm,
  claimsSchema,
  clockSkewSeconds,
  headerSchema,
  toVerifiedToken,
  type VerifiedToken,
} from './access-token.js';

/** The one thing that the strategy reads of a request. */
type TokenRequest = { readonly token: string };

/** Checks signature and claims of an access token with passport-jwt (RFC 7519 §7.2, RFC 8725, RFC 9068 §4). */
@Injectable()
export class JwtStrategy extends PassportStrategy(Strategy) {
  constructor(
    keys: SigningKeys,
    private readonly clock: DatabaseClock,
    @Inject(CONFIG) config: Config,
  ) {
    super({
      jwtFromRequest: ({ token }) => token,
      secretOrKeyProvider: (_request, token, done) => {
        findKey(keys, token).then(
          (key) => done(null, key),
          (error: unknown) => done(error),
        );
      },
      passReqToCallback: true,
      // `validate` looks at it, by the database's clock
      ignoreExpiration: true,
      algorithms: [algorithm],
      issuer: config.ISSUER,
      audience: config.AUDIENCE,
    });
  }

  validate({ token }: TokenRequest, payload: unknown): VerifiedToken {
    const claims = claimsSchema.safeParse(payload);
    if (!claims.success) throw new AppError('invalid-token');
    const now = this.clock.nowMs() / 1000;
    const { exp, iat } = claims.data;
    if (exp <= now || iat > now + clockSkewSeconds) throw new AppError('invalid-token');
    return toVerifiedToken(claims.data, readHeader(token).kid);
  }

  /** Runs the strategy as passport would: on an object of its own for each token. */
  check(token: string): Promise<VerifiedToken> {
    return new Promise((resolve, reject) => {
      const run: unknown = Object.assign(Object.create(this), {
        success: resolve,
        fail: (cause: unknown) => reject(isVerdict(cause) ? new AppError('invalid-token', { cause }) : cause),
        error: reject,
      });
      if (run instanceof JwtStrategy) Strategy.prototype.authenticate.call(run, { token });
    });
  }
}

async function findKey(keys: SigningKeys, token: string): Promise<KeyObject> {
  const key = await keys.find(readHeader(token).kid);
  if (!key) throw new AppError('invalid-token', { cause: new Error('unknown kid') });
  return key;
}

/** @throws AppError `invalid-token`; before any key is chosen by it, the header is exactly what we issue */
function readHeader(token: string): { kid: string } {
  try {
    return headerSchema.parse(JSON.parse(Buffer.from(token.split('.', 1)[0] ?? '', 'base64url').toString('utf8')));
  } catch (cause) {
    throw new AppError('invalid-token', { cause });
  }
}

/** A database that does not answer is no verdict on the token. */
const isVerdict = (error: unknown): boolean => !(error instanceof AppError) && !isUnavailable(error);
