import { Injectable } from '@nestjs/common';

import type { RequestSource } from '#libs/platform/access';
import { Revocations } from '#libs/security/revocation';

import { SessionEnd } from '../sessions/session-end.service.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { TokenStatus } from './token-status.service.js';

/** Revokes a token that somebody presents (RFC 7009). */
@Injectable()
export class TokenRevocation {
  constructor(
    private readonly status: TokenStatus,
    private readonly revocations: Revocations,
    private readonly sessions: SessionsService,
    private readonly sessionEnd: SessionEnd,
  ) {}

  /** A refresh token ends its session; an access token ends alone. What is no token of ours needs no revoking. */
  async revoke(token: string, source: RequestSource): Promise<void> {
    const access = await this.status.readAccess(token);
    if (!access) return this.sessions.endByToken(token, { cause: 'token-revoked', event: 'token-revoked', source });
    const { userId, tokenId, expiresAt } = access.principal;
    await this.revocations.transactional(async (em, revoke) => {
      await revoke({ kind: 'token', subject: tokenId, cause: 'token-revoked', expiresAt });
      await this.sessionEnd.recordRevoked(em, userId, source);
    });
  }
}
