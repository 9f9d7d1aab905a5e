import type { KeyObject } from 'node:crypto';

import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { Strategy } from 'passport-jwt';
import type { z } from 'zod';

import { SigningKeysService } from '../keys/signing-keys.service.js';
import { algorithm, claimsSchema, readKeyId, toVerifiedToken, type VerifiedToken } from './access-token.js';

/** What the strategy reads of a request. */
type SignedToken = { readonly token: string; readonly key: KeyObject };
type ParsedClaims = z.ZodSafeParseResult<z.infer<typeof claimsSchema>>;
type FindKey = (id: string) => Promise<KeyObject | undefined>;

/** A text that is no access token of ours, whatever its claims may say. */
export type UnreadableToken = {
  readonly fault: 'malformed' | 'unknown-key' | 'bad-signature';
  readonly detail: string;
};

/** Checks form and signature of access tokens with passport-jwt (RFC 7515 §5.2, RFC 8725). */
@Injectable()
export class JwtStrategy extends PassportStrategy(Strategy) {
  constructor(private readonly keys: SigningKeysService) {
    super({
      jwtFromRequest: ({ token }) => token,
      secretOrKeyProvider: ({ key }, _token, done) => done(null, key),
      passReqToCallback: true,
      algorithms: [algorithm],
      // what a token says of time, issuer and audience is for `judgeAccessToken` alone
      ignoreExpiration: true,
      jsonWebTokenOptions: { ignoreNotBefore: true },
    });
  }

  /** passport-jwt calls it when the signature is right. */
  validate(_request: SignedToken, payload: unknown): ParsedClaims {
    return claimsSchema.safeParse(payload);
  }

  /**
   * Reads an access token, whether it is good now or not.
   * @param findKey where the key of a `kid` comes from; by default the keys that are trusted now
   * @throws the error of the database (answered as `unavailable`) when a key must be looked for
   * and cannot be: that is no verdict on the token
   */
  async read(token: string, findKey: FindKey = (id) => this.keys.find(id)): Promise<VerifiedToken | UnreadableToken> {
    const keyId = readKeyId(token);
    // before any key is chosen by it, the header is exactly what we issue
    if (keyId === undefined) return unreadable('malformed', 'not a JWT with the header of an access token of ours');
    const key = await findKey(keyId);
    if (!key) {
      return unreadable('unknown-key', `no key of ours has the id ${keyId}: another issuer's, or removed long ago`);
    }
    const claims = await this.#authenticate({ token, key });
    if (!claims) return unreadable('bad-signature', 'the signature is not that of the key it names');
    if (!claims.success) return unreadable('malformed', 'a claim is missing or has the wrong type');
    return toVerifiedToken(claims.data, keyId);
  }

  /** Runs the strategy as passport would: on an object of its own for each token. */
  #authenticate(request: SignedToken): Promise<ParsedClaims | undefined> {
    return new Promise((resolve, reject) => {
      const run: unknown = Object.assign(Object.create(this), {
        success: resolve,
        fail: () => resolve(undefined),
        error: reject,
      });
      if (run instanceof JwtStrategy) Strategy.prototype.authenticate.call(run, request);
    });
  }
}

const unreadable = (fault: UnreadableToken['fault'], detail: string): UnreadableToken => ({ fault, detail });
