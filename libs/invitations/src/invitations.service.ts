import { Inject, Injectable } from '@nestjs/common';

import { MailService } from '#libs/mail';
import type { RequestSource } from '#libs/platform/access';
import { type Config, CONFIG } from '#libs/platform/config';
import { QueryCursors, type TimePosition, timePosition } from '#libs/platform/contract';
import { linkToken, uuidV7 } from '#libs/platform/crypto';
import { AppError } from '#libs/platform/errors';
import type { IdempotencyLock } from '#libs/platform/idempotency';
import { RoleGrants } from '#libs/roles';
import { AuditTrail } from '#libs/security/audit';
import { assertMayGiveRoles, toEmailKey, UsersRepository } from '#libs/users';

import { InvitationsRepository } from './invitations.repository.js';
import type {
  CreatedInvitation,
  InvitationPage,
  InvitationView,
  Invite,
  ListInvitations,
} from './invitations.schema.js';

const cursors = new QueryCursors({ list: 'invitations' }, timePosition);
/** Whoever registers has it, so that it needs no check. */
const everybodysRoles = ['user'];

/** Accounts that are prepared for people who make them themselves. */
@Injectable()
export class InvitationsService {
  constructor(
    private readonly invitations: InvitationsRepository,
    private readonly users: UsersRepository,
    private readonly roles: RoleGrants,
    private readonly mail: MailService,
    private readonly audit: AuditTrail,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * The link is in the answer, and in a mail if mail is on. With a `lock` the answer is kept for a
   * retry of the request.
   * @throws AppError `forbidden`, `fresh-authentication-required`, `email-taken`, `unknown-role`,
   * `permissions-too-large`
   */
  async create(
    { email, roles: given, firstName = null, lastName = null }: Invite,
    source: RequestSource,
    lock?: IdempotencyLock<CreatedInvitation>,
  ): Promise<CreatedInvitation> {
    assertMayGiveRoles(given, source.caller);
    const emailKey = toEmailKey(email);
    // so that nobody is invited in vain; the constraint decides when the account is made
    if ((await this.users.findTaken(null, emailKey)).isEmailTaken) throw new AppError('email-taken');
    const [id, token, roles] = [uuidV7(), linkToken(), given ?? everybodysRoles];
    const url = `${this.config.PUBLIC_URL}/account/invitation#${token}`;
    const fields = { id, email, emailKey, roles, firstName, lastName, token };
    const made = await this.invitations.insert(fields, async (em, invitation) => {
      await this.roles.assertGrantable(em, roles, everybodysRoles);
      const variables = { link: url, expires: invitation.expiresAt };
      const { acceptLanguage } = source;
      await this.mail.add(em, { kind: 'invitation', to: email, variables, acceptLanguage });
      const details = { invitationId: id, roles: roles.join(' ') };
      await this.audit.record({ event: 'invitation-created', details }, source, em);
      await lock?.keep(em, { ...invitation, url });
    });
    return { ...made, url };
  }

  /** Those that are open, newest first. @throws AppError `invalid-cursor` */
  async list({ limit, cursor }: ListInvitations): Promise<InvitationPage> {
    const after = cursor === undefined ? undefined : cursors.decode(cursor);
    const found = await this.invitations.findPage(limit + 1, after);
    const { rows, nextCursor } = cursors.cut(found, limit, positionOf);
    return { items: [...rows], nextCursor };
  }

  /** Gives the cursor after any invitation of a page. */
  cursorOf(invitation: InvitationView): string {
    return cursors.encode(positionOf(invitation));
  }

  /** @throws AppError `invitation-not-found` */
  async get(id: string): Promise<InvitationView> {
    const invitation = await this.invitations.find(id);
    if (!invitation) throw new AppError('invitation-not-found');
    return invitation;
  }

  /** The link is dead at once. @throws AppError `invitation-not-found` */
  async withdraw(id: string, source: RequestSource): Promise<void> {
    const details = { invitationId: id };
    const isGone = await this.invitations.delete(id, (em) =>
      this.audit.record({ event: 'invitation-deleted', details }, source, em),
    );
    if (!isGone) throw new AppError('invitation-not-found');
  }
}

const positionOf = ({ createdAt, id }: InvitationView): TimePosition => [Date.parse(createdAt), id];
