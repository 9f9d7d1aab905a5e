import { type KeyObject, randomUUID } from 'node:crypto';

import { Inject, Injectable, Logger } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';

import { type Config, CONFIG } from '#libs/platform/config';
import { DatabaseClock } from '#libs/platform/database';
import { AppError } from '#libs/platform/errors';
import { RoleRegistry } from '#libs/roles';

import { SigningKeysService } from '../keys/signing-keys.service.js';
import {
  accessTokenType,
  acrOf,
  algorithm,
  type Claims,
  longestToken,
  type ServiceClaims,
  type UserClaims,
} from './access-token.js';
import { declaredClaims, type DeclaredFrom } from './declared-claims.js';
import type { TokenAudience } from './token-audiences.js';
import type { AccessToken, TokenPair } from './tokens.schema.js';

/** Whom an access token speaks of. */
export type TokenSubject = {
  readonly userId: string;
  /** `sub`, where it is not our id of the user. */
  readonly subject: string | null;
  readonly roles: readonly string[];
  /** The generation of the user's tokens; raising it ends those of every generation before. */
  readonly tokenGeneration: number;
  /** `client_id` (RFC 9068 §2.2): the service that signed the user in, or ours. */
  readonly clientId: string;
  /** When the user last gave the password or a code, in Unix seconds. */
  readonly authTime: number;
  /** How the session was authenticated (RFC 8176). */
  readonly amr: readonly string[];
  /** Seconds until the session ends if it is not refreshed: no access token outlives it. */
  readonly secondsLeft: number;
} & DeclaredFrom;

/** What a token says of the service that it is for. `scope` with spaces between. */
export type ServiceTokenSubject = {
  readonly name: string;
  readonly audience: string;
  readonly scope: string;
  /** Of the service's tokens, from the same view as the scope. */
  readonly generation: number;
};

/** A key that a token can be signed with. */
export type SigningKey = { readonly id: string; readonly privateKey: KeyObject };

/** What a token is made with; for Gatehouse itself without an audience. */
type TokenFrame = { readonly key: SigningKey; readonly audience?: TokenAudience };

/** Issues access tokens: JWTs after RFC 9068, signed with ES256. */
@Injectable()
export class TokenIssuerService {
  readonly #logger = new Logger('TokenIssuer');

  constructor(
    private readonly jwt: JwtService,
    private readonly keys: SigningKeysService,
    private readonly clock: DatabaseClock,
    private readonly roles: RoleRegistry,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * Makes sure that this replica knows of keys that were retired and of roles that were changed.
   * Call it, and `signingKey`, before anything is written that tokens shall be issued for.
   */
  async prepare(): Promise<void> {
    const reads = [this.keys.makeFresh(), this.roles.makeFresh()].filter((read) => read !== undefined);
    if (reads.length > 0) await Promise.all(reads);
  }

  /**
   * The key that signs now. Whoever writes something before a token is issued takes the key first,
   * so that nothing is recorded for an answer that cannot be given.
   * @throws AppError `unavailable` when there is no key that this replica can sign with
   */
  signingKey(): SigningKey {
    const { id, privateKey } = this.keys.ring.signing(this.clock.nowMs()) ?? {};
    if (id !== undefined && privateKey) return { id, privateKey };
    const cause = new Error('There is no key that this replica can sign with');
    throw new AppError('unavailable', { cause, headers: { 'retry-after': '2' } });
  }

  /**
   * A new access token of a session. It is good for `ACCESS_TOKEN_TTL_SECONDS`, or for as long as
   * the session when that ends first; `expiresIn` says how many seconds. Writes nothing: the caller
   * has checked that the session lives.
   */
  issue(sessionId: string, subject: TokenSubject, { key, audience }: TokenFrame): AccessToken {
    const now = this.clock.nowMs() / 1000;
    const iat = Math.floor(now);
    const exp = Math.min(iat + this.config.ACCESS_TOKEN_TTL_SECONDS, Math.floor(now + subject.secondsLeft));
    const roles = this.roles.withoutRemoved(subject.roles);
    const { permissions, generation } = this.roles.grantedTo(roles, audience?.permissions);
    const claims: UserClaims = {
      iss: this.config.ISSUER,
      sub: subject.subject ?? subject.userId,
      ...(subject.subject !== null && { uid: subject.userId }),
      aud: audience?.audience ?? this.config.AUDIENCE,
      exp,
      iat,
      jti: randomUUID(),
      sid: sessionId,
      client_id: subject.clientId,
      roles: [...roles],
      permissions: [...permissions],
      role_gen: generation,
      gen: subject.tokenGeneration,
      auth_time: subject.authTime,
      amr: [...subject.amr],
      acr: acrOf(subject.amr),
    };
    const accessToken = this.#signWithDeclared(claims, subject, key);
    return { accessToken, expiresIn: exp - iat, tokenType: 'Bearer', sessionId };
  }

  /** A token of a service that stands for itself; it has no session. Writes nothing. */
  issueForService(
    { name, audience, scope, generation }: ServiceTokenSubject,
    key: SigningKey,
  ): { readonly accessToken: string; readonly expiresIn: number } {
    const iat = Math.floor(this.clock.nowMs() / 1000);
    const { ISSUER: iss, ACCESS_TOKEN_TTL_SECONDS: expiresIn } = this.config;
    const parties = { iss, sub: name, aud: audience, client_id: name };
    const claims: ServiceClaims = { ...parties, exp: iat + expiresIn, iat, jti: randomUUID(), scope, gen: generation };
    return { accessToken: this.#sign(claims, key), expiresIn };
  }

  /** As `issue`, beside the refresh token that keeps the session going. */
  issuePair(
    sessionId: string,
    subject: TokenSubject,
    { refreshToken, ...frame }: TokenFrame & { readonly refreshToken: string },
  ): TokenPair {
    const refreshExpiresIn = Math.floor(subject.secondsLeft);
    return { ...this.issue(sessionId, subject, frame), refreshToken, refreshExpiresIn };
  }

  /** `TOKEN_CLAIMS` keeps nobody from signing in: what would make a token too long is left out. */
  #signWithDeclared(claims: UserClaims, subject: TokenSubject, key: SigningKey): string {
    const { TOKEN_CLAIMS } = this.config;
    if (TOKEN_CLAIMS.length === 0) return this.#sign(claims, key);
    const declared = declaredClaims(TOKEN_CLAIMS, subject);
    // what Gatehouse itself says comes last, and wins
    const token = this.#sign({ ...declared.claims, ...claims }, key);
    const isTooLong = token.length > longestToken;
    const leftOut = isTooLong ? TOKEN_CLAIMS.map(({ name }) => name) : declared.leftOut;
    if (leftOut.length > 0) {
      this.#logger.warn({ event: 'declared claims left out', claims: leftOut, userId: subject.userId });
    }
    return isTooLong ? this.#sign(claims, key) : token;
  }

  #sign(claims: Claims, { id, privateKey }: SigningKey): string {
    const header = { alg: algorithm, typ: accessTokenType, kid: id };
    return this.jwt.sign(claims, { privateKey, algorithm, header });
  }
}
