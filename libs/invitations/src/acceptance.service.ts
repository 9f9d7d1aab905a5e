import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';

import type { RequestSource } from '#libs/platform/access';
import { AppError } from '#libs/platform/errors';
import { AuditTrail } from '#libs/security/audit';
import { UsersService, type VersionedUser } from '#libs/users';

import { InvitationsRepository, type OpenInvitation } from './invitations.repository.js';
import type { AcceptInvitation } from './invitations.schema.js';

/** Makes accounts of invitations. It signs nobody in. */
@Injectable()
export class AcceptanceService {
  constructor(
    private readonly invitations: InvitationsRepository,
    private readonly users: UsersService,
    private readonly audit: AuditTrail,
  ) {}

  /**
   * The link is used up by an account alone: whatever is refused may be mended and sent again.
   * @throws AppError `invalid-confirmation`, `invalid-request`, `password-refused`,
   * `user-name-taken`, `email-taken`, `permissions-too-large`, `overloaded`
   */
  async accept(
    { token, userName, password, ...given }: AcceptInvitation,
    source: RequestSource,
    signal: AbortSignal,
  ): Promise<VersionedUser> {
    const invitation = await this.invitations.findByToken(token);
    if (!invitation) throw new AppError('invalid-confirmation');
    const { id: invitationId, email, roles } = invitation;
    const account = {
      input: { userName, password, email, roles, ...namesOf(given, invitation) },
      claim: async (em: SqlEntityManager): Promise<void> => {
        if (!(await this.invitations.take(em, token))) throw new AppError('invalid-confirmation');
      },
      inSameTransaction: (em: SqlEntityManager, { id: userId }: { readonly id: string }): Promise<void> =>
        this.audit.record({ event: 'invitation-accepted', userId, details: { invitationId } }, source, em),
    };
    return this.users.createPrepared(account, source, signal);
  }
}

type Names = Pick<AcceptInvitation, 'firstName' | 'lastName'>;

/** What the person says comes before what the inviter knew. @throws AppError `invalid-request` */
function namesOf(given: Names, invitation: OpenInvitation): { readonly firstName: string; readonly lastName: string } {
  const firstName = given.firstName ?? invitation.firstName;
  const lastName = given.lastName ?? invitation.lastName;
  if (firstName !== null && lastName !== null) return { firstName, lastName };
  const missing = Object.entries({ firstName, lastName }).filter(([, name]) => name === null);
  const message = 'is required: the invitation has none';
  throw new AppError('invalid-request', { errors: missing.map(([path]) => ({ path, message, code: 'required' })) });
}
