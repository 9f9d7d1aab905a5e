import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';

import { type AuditEvent, AuditTrail, erasedIdOf } from '#libs/security/audit';
import { assertFreshlyAuthenticated, isUser, type RequestSource } from '#libs/platform/access';
import type { Precondition } from '#libs/platform/http';
import { everyGeneration, type Revocation, RevocationsService, type Revoke } from '#libs/security/revocation';

import { ProfileSchemas } from '../profile/profile-schemas.js';
import { changeableId, patchableId } from './user-access.js';
import type { User } from './user.entity.js';
import { UserAddresses } from './user-addresses.service.js';
import { rethrowTaken } from './user-keys.js';
import type { VersionedUser } from './user-view.js';
import { UserViews } from './user-views.js';
import { UsersRepository } from './users.repository.js';
import type { PatchUser } from './users.schema.js';

/** Changes and erases accounts; tokens and sessions end in the same transaction. */
@Injectable()
export class UserChangesService {
  constructor(
    private readonly users: UsersRepository,
    private readonly revocations: RevocationsService,
    private readonly audit: AuditTrail,
    private readonly addresses: UserAddresses,
    private readonly views: UserViews,
    private readonly schemas: ProfileSchemas,
  ) {}

  /**
   * @throws AppError `forbidden`, `user-not-found`, `precondition-failed`, `email-taken`,
   * `last-admin`, `fresh-authentication-required`, `unknown-role`, `permissions-too-large`,
   * `invalid-request`, `profile-too-large`
   */
  async patch(
    id: string,
    change: PatchUser,
    source: RequestSource,
    precondition: Precondition,
  ): Promise<VersionedUser> {
    const userId = patchableId(id, change, source.caller);
    return this.#inTurn(userId, async (em, revoke) => {
      const user = await this.users.findForUpdate(em, userId, source.caller);
      precondition(user.version);
      if (grantsTrust(user, change)) assertFreshlyAuthenticated(source.caller);
      if (losesAdmin(user, change)) await this.users.assertOtherAdmin(em, user.id);
      if (change.roles) await this.users.assertGrantable(em, change.roles, user.roles);
      const profiles = this.schemas.merge(user, change);
      const { email } = change;
      const addresses = email === undefined ? [] : await this.addresses.change(em, user, email, source);
      const fields = [...changedFields(user, change), ...addresses, ...Object.keys(profiles)];
      for (const event of eventsOf(user, change, fields)) await this.audit.record({ userId, ...event }, source, em);
      await endTrust(user, change, revoke);
      apply(user, change);
      Object.assign(user, profiles);
      await em.flush();
      return this.views.ofEntity(user, source.caller);
    }).catch(rethrowTaken);
  }

  /**
   * Removes the user and all that features keep of it, but for one audit row that proves it.
   * @throws AppError `forbidden`, `user-not-found`, `precondition-failed`, `last-admin`,
   * `fresh-authentication-required`
   */
  async erase(id: string, source: RequestSource, precondition: Precondition): Promise<void> {
    const userId = changeableId(id, source.caller);
    assertFreshlyAuthenticated(source.caller);
    await this.#inTurn(userId, async (em, revoke) => {
      const user = await this.users.findForUpdate(em, userId, source.caller);
      precondition(user.version);
      if (isActiveAdmin(user)) await this.users.assertOtherAdmin(em, user.id);
      await revoke({ ...endOf(user), generation: everyGeneration, cause: 'user-deleted' });
      await this.users.erase(em, user);
      await this.audit.record({ event: 'user-deleted', userId: erasedIdOf(userId) }, withoutTraces(source, userId), em);
    });
  }

  #inTurn<T>(userId: string, work: (em: SqlEntityManager, revoke: Revoke) => Promise<T>): Promise<T> {
    return this.users.turns.take(userId, () => this.revocations.transactional(work));
  }
}

/** When users erase their own account, neither their address nor their id is kept. */
function withoutTraces({ caller, ...rest }: RequestSource, userId: string): Pick<RequestSource, 'caller'> {
  if (!isUser(caller) || caller.userId !== userId) return { caller, ...rest };
  return { caller: { ...caller, userId: erasedIdOf(userId) } };
}

function apply(user: User, { firstName, lastName, roles, status }: PatchUser): void {
  if (firstName !== undefined) user.firstName = firstName;
  if (lastName !== undefined) user.lastName = lastName;
  if (roles !== undefined && !isSameSet(roles, user.roles)) user.roles = roles;
  if (status !== undefined) user.status = status;
}

/** Deactivation ends tokens and sessions; a change of roles ends tokens with the old ones. */
async function endTrust(user: User, change: PatchUser, revoke: Revoke): Promise<void> {
  const isDeactivated = deactivates(user, change);
  if (!isDeactivated && !changesRoles(user, change)) return;
  user.tokenGeneration += 1;
  if (isDeactivated) user.sessionGeneration += 1;
  const cause = isDeactivated ? 'user-deactivated' : 'roles-changed';
  await revoke({ ...endOf(user), generation: user.tokenGeneration, cause });
}

const endOf = ({ id, subject }: User): Pick<Revocation, 'kind' | 'subject' | 'tokenSubject'> => ({
  kind: 'user',
  subject: id,
  tokenSubject: subject ?? null,
});

const plainFields = ['firstName', 'lastName'] as const;

const changedFields = (user: User, change: PatchUser): readonly string[] =>
  plainFields.filter((name) => change[name] !== undefined && change[name] !== user[name]);

/** The security events of a change, with the names of changed fields but none of their values. */
function eventsOf(user: User, change: PatchUser, fields: readonly string[]): readonly AuditEvent[] {
  const before = user.roles.join(' ');
  const roles = (change.roles ?? user.roles).join(' ');
  const events: AuditEvent[] = [];
  if (fields.length > 0) events.push({ event: 'user-changed', details: { fields } });
  if (deactivates(user, change)) events.push({ event: 'user-deactivated', details: { roles } });
  if (activates(user, change)) events.push({ event: 'user-activated', details: { roles } });
  if (changesRoles(user, change)) events.push({ event: 'roles-changed', details: { roles, before } });
  return events;
}

const activates = (user: User, { status }: PatchUser): boolean => status === 'active' && user.status !== 'active';

const deactivates = (user: User, { status }: PatchUser): boolean =>
  status === 'deactivated' && user.status === 'active';

const changesRoles = (user: User, { roles }: PatchUser): boolean =>
  roles !== undefined && !isSameSet(roles, user.roles);

/** What a thief of a token would want: a new role, reactivation, an address to log in by. */
const grantsTrust = (user: User, change: PatchUser): boolean =>
  change.roles?.some((role) => !user.roles.includes(role)) === true ||
  activates(user, change) ||
  (change.email !== undefined && change.email !== (user.email ?? null));

const isActiveAdmin = (user: User): boolean => user.status === 'active' && user.roles.includes('admin');

const losesAdmin = (user: User, { roles, status }: PatchUser): boolean =>
  isActiveAdmin(user) && (status === 'deactivated' || roles?.includes('admin') === false);

const isSameSet = (left: readonly string[], right: readonly string[]): boolean =>
  left.length === right.length && left.every((member) => right.includes(member));
