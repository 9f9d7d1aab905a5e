import { Injectable } from '@nestjs/common';

import { DatabaseClock } from '#libs/platform/database';
import { type EndOfTrust, RevocationsService } from '#libs/security/revocation';
import { UsersRepository } from '#libs/users';

import { SigningKeysRepository } from '../keys/signing-keys.repository.js';
import { type Claims, judgeAccessToken, type TokenEnd, type VerifiedToken } from '../tokens/access-token.js';
import { JwtStrategy } from '../tokens/jwt.strategy.js';
import { TokenAudiences } from '../tokens/token-audiences.js';
import type { Explanation } from './oauth.schema.js';

type Ended = { readonly reason: TokenEnd; readonly detail: string; readonly at?: string; readonly cause?: string };

/**
 * Says why a token is or is not accepted. It judges by the rule of the guard, with what the tables
 * say rather than this replica's memory: they know retired keys, and when and why trust ended.
 */
@Injectable()
export class TokenExplanationService {
  constructor(
    private readonly strategy: JwtStrategy,
    private readonly keys: SigningKeysRepository,
    private readonly revocations: RevocationsService,
    private readonly users: UsersRepository,
    private readonly clock: DatabaseClock,
    private readonly audiences: TokenAudiences,
  ) {}

  /**
   * @param wanted the audience that judges, in any spelling; Gatehouse itself when absent
   * @throws AppError `unknown-audience`
   */
  async explain(token: string, wanted: string | undefined): Promise<Explanation> {
    const { audience } = await this.audiences.find(wanted);
    const read = await this.strategy.read(token, (id) => this.keys.findPublicKey(id));
    if ('fault' in read) return { isAccepted: false, reason: read.fault, detail: read.detail };
    const { principal } = read;
    const explained = await this.#explain(read, audience);
    if (principal.kind === 'service') return { ...explained, service: principal.name };
    const { userId, sessionId } = principal;
    const { sub } = read.claims;
    return { ...explained, userId, ...(sub !== userId && { subject: sub }), sessionId };
  }

  async #explain({ claims, facts, principal }: VerifiedToken, audience: string): Promise<Explanation> {
    const { issuer } = this.audiences;
    const end = await this.revocations.findEnd(facts);
    const ended = end ? revokedBy(end) : await this.#endedWithUser(principal);
    const now = Math.floor(this.clock.nowMs() / 1000);
    const reason = judgeAccessToken(claims, { issuer, audience, end: ended?.reason }, now);
    if (ended && reason === ended.reason) return { isAccepted: false, ...ended };
    const isDated = reason === 'accepted' || reason === 'expired';
    return {
      isAccepted: reason === 'accepted',
      reason,
      detail:
        reason === 'wrong-audience'
          ? await this.#wrongAudience([claims.aud].flat(), audience)
          : this.#detailOf(reason, claims, now),
      ...(isDated && { at: new Date(claims.exp * 1000).toISOString() }),
    };
  }

  async #endedWithUser(principal: VerifiedToken['principal']): Promise<Ended | undefined> {
    // the end of a service has an entry for as long as its tokens could be good
    if (principal.kind === 'service') return undefined;
    const user = await this.users.findById(principal.userId);
    if (!user) return { reason: 'user-deleted', detail: 'the user has been deleted' };
    return user.status === 'active' ? undefined : { reason: 'user-deactivated', detail: 'the user is deactivated' };
  }

  async #wrongAudience(actual: readonly string[], expected: string): Promise<string> {
    const [wanted = expected, ...given] = await Promise.all(
      [expected, ...actual].map((audience) => this.audiences.describe(audience)),
    );
    return `aud is ${given.join(' and ')}, not ${wanted}`;
  }

  #detailOf(reason: Explanation['reason'], { iss, iat, nbf, exp }: Claims, now: number): string {
    if (reason === 'wrong-issuer') return `iss is ${iss}, not ${this.audiences.issuer}`;
    if (reason === 'expired') return `expired ${now - exp} s ago`;
    if (reason !== 'not-yet-valid') return `good for another ${exp - now} s`;
    return nbf !== undefined && nbf > now
      ? `nbf is ${nbf - now} s in the future`
      : `iat is ${iat - now} s in the future`;
  }
}

/** Ends that have a reason of their own, where the token is that of the user or service itself. */
const ownReasons: ReadonlySet<string> = new Set<TokenEnd>([
  'user-deactivated',
  'user-deleted',
  'service-deactivated',
  'service-deleted',
]);
const isOwnReason = (cause: string): cause is TokenEnd => ownReasons.has(cause);

function revokedBy({ kind, name, cause, atMs }: EndOfTrust): Ended {
  const at = new Date(atMs).toISOString();
  return {
    // a session ends with the service that began it, too
    reason: kind !== 'session' && isOwnReason(cause) ? cause : 'revoked',
    detail: `its ${kind}${name === null ? '' : ` ${name}`} was revoked by ${cause} at ${at}`,
    at,
    cause,
  };
}
