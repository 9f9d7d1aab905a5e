import { Injectable } from '@nestjs/common';

import type { Origin } from '#libs/platform/access';
import { Revocations } from '#libs/revocation';

import { RefreshTokens } from '../sessions/refresh-token.js';
import { SessionEnd } from '../sessions/session-end.service.js';
import { SessionsRepository } from '../sessions/sessions.repository.js';
import { TokenStatus } from './token-status.service.js';

/** Revokes a token that somebody presents (RFC 7009). */
@Injectable()
export class TokenRevocation {
  constructor(
    private readonly status: TokenStatus,
    private readonly revocations: Revocations,
    private readonly refreshTokens: RefreshTokens,
    private readonly sessions: SessionsRepository,
    private readonly sessionEnd: SessionEnd,
  ) {}

  /** A refresh token ends its session; an access token ends alone. What is no token of ours needs no revoking. */
  async revoke(token: string, origin: Origin): Promise<void> {
    const access = await this.status.readAccess(token);
    if (!access) return this.#revokeRefresh(token, origin);
    const { userId, tokenId, expiresAt } = access.principal;
    await this.revocations.transactional(async (em, revoke) => {
      await revoke({ kind: 'token', subject: tokenId, cause: 'token-revoked', expiresAt });
      await this.sessionEnd.recordRevoked(em, userId, origin);
    });
  }

  /** Any token of the family will do, the used ones too: whoever holds one wants the session to be over. */
  async #revokeRefresh(token: string, origin: Origin): Promise<void> {
    const parsed = this.refreshTokens.parse(token);
    const owner = parsed?.isOurs ? await this.sessions.findOwner(parsed.sessionId) : undefined;
    if (!parsed || !owner) return;
    const why = { cause: 'token-revoked', event: 'token-revoked', origin } as const;
    await this.sessionEnd.end(owner.user_id, { only: parsed.sessionId }, why);
  }
}
