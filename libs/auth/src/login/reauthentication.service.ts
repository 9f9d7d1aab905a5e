import { Injectable } from '@nestjs/common';

import { AppError } from '#libs/platform/errors';
import { AuditTrail } from '#libs/security/audit';

import { SessionAuthenticationRepository } from '../sessions/session-authentication.repository.js';
import { asUser } from '../sessions/session-owner.js';
import { SessionsService } from '../sessions/sessions.service.js';
import type { TokenSubject } from '../tokens/token-issuer.service.js';
import type { AccessToken } from '../tokens/tokens.schema.js';
import { assertHasKey } from './login-attempts.repository.js';
import { type OwnProof, OwnProofService } from './own-proof.service.js';

/** Has people show again that it is them, in the session that they have. */
@Injectable()
export class ReauthenticationService {
  constructor(
    private readonly proofs: OwnProofService,
    private readonly sessions: SessionsService,
    private readonly authentications: SessionAuthenticationRepository,
    private readonly trail: AuditTrail,
  ) {}

  /**
   * A new access token of the same session, for what an access token alone must not be enough for.
   * The refresh tokens of the session go on, and so does the time of this authentication; a code
   * makes it a session with both factors.
   * @throws as `OwnProofService.accept`; AppError `invalid-token` when the session has ended,
   * `unavailable`
   */
  async reauthenticate(proof: OwnProof): Promise<AccessToken> {
    const { sessionId, userId } = asUser(proof.source.caller);
    const given = 'code' in proof.given ? 'code' : 'password';
    const record = (keyId: string): Promise<TokenSubject> =>
      this.proofs.accept(proof, async (em) => {
        const subject = await this.authentications.confirm(em, { id: sessionId, keyId }, given);
        assertHasKey(subject);
        if (subject.userId === null) throw new AppError('invalid-token');
        await this.trail.record({ event: 'reauthenticated', userId }, proof.source, em);
        return subject;
      });
    const token = await this.sessions.renewAccess(sessionId, record);
    if (!token) throw new AppError('invalid-token');
    return token;
  }
}
