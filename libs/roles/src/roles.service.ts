import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';

import { AppError } from '#libs/platform/errors';
import { type Actor, type AuditEvent, AuditTrail } from '#libs/security/audit';
import { RevocationsService } from '#libs/security/revocation';

import { type Role, RoleEntity } from './role.entity.js';
import { RoleHolders } from './role-holders.js';
import { RoleRegistry } from './role-registry.js';
import { RoleRemoval } from './role-removal.service.js';
import { RolesRepository } from './roles.repository.js';
import type { CreateRole, PatchRole, RoleList, RoleView } from './roles.schema.js';
import { fitsToken, unionOf } from './token-size.js';

/** Every replica holds all of them in memory. */
const mostRoles = 1_000;

/** Keeps the roles. Whatever changes what a role permits ends the tokens that carry it (ADR 26). */
@Injectable()
export class RolesService {
  constructor(
    private readonly roles: RolesRepository,
    private readonly registry: RoleRegistry,
    private readonly holders: RoleHolders,
    private readonly removal: RoleRemoval,
    private readonly audit: AuditTrail,
    private readonly revocations: RevocationsService,
  ) {}

  /** By name, at most 1,000. */
  async list(): Promise<RoleList> {
    const roles = await this.roles.list();
    return { items: roles.toSorted(byName).map(viewOf) };
  }

  /** @throws AppError `role-not-found` */
  async get(name: string): Promise<RoleView> {
    return viewOf(present(await this.roles.find(name)));
  }

  /** @throws AppError `role-exists`, `too-many-roles`, `permissions-too-large` */
  create({ name, description = null, permissions }: CreateRole, by: Actor): Promise<RoleView> {
    return this.#change(name, 'role-created', by, async (em) => {
      const taken = await this.roles.find(name, em);
      if (taken) throw new AppError('role-exists', taken.removedAt ? { detail: stillHeld } : {});
      if ((await this.roles.list(em)).length >= mostRoles) throw new AppError('too-many-roles');
      await this.#assertFits(em, name, permissions);
      const role = em.create(RoleEntity, { name, description, permissions });
      await em.flush();
      return { value: viewOf(role), details: { permissions }, endsTokens: true };
    });
  }

  /**
   * Tokens end only when permissions change. A change that changes nothing leaves no trace.
   * @throws AppError `role-not-found`, `permissions-too-large`
   */
  patch(name: string, { description, permissions }: PatchRole, by: Actor): Promise<RoleView> {
    return this.#change(name, 'role-changed', by, async (em) => {
      const role = present(await this.roles.find(name, em));
      const changed: string[] = [];
      if (description !== undefined && description !== (role.description ?? null)) {
        changed.push('description');
        role.description = description;
      }
      const difference = differenceOf(role.permissions, permissions ?? role.permissions);
      const endsTokens = difference.added.length > 0 || difference.removed.length > 0;
      if (permissions && endsTokens) {
        await this.#assertFits(em, name, permissions);
        changed.push('permissions');
        role.permissions = permissions;
      }
      if (changed.length === 0) return { value: viewOf(role), endsTokens };
      await em.flush();
      return { value: viewOf(role), details: { changed, ...(endsTokens && difference) }, endsTokens };
    });
  }

  /**
   * Its tokens are dead at once. `take-from-users` also takes it from all who hold it: at once from
   * the first of them, soon from the others, and meanwhile it counts as taken.
   * @throws AppError `role-not-found`, `role-built-in`, `role-in-use`
   */
  async remove(name: string, how: 'only-unheld' | 'take-from-users', by: Actor): Promise<void> {
    const isHeld = await this.#change(name, 'role-deleted', by, async (em) => {
      const role = present(await this.roles.find(name, em));
      if (role.builtIn) throw new AppError('role-built-in');
      const value = await this.holders.isHeld(em, name);
      if (value && how === 'only-unheld') throw new AppError('role-in-use');
      if (value) role.removedAt = new Date();
      else em.remove(role);
      await em.flush();
      return { value, details: { permissions: role.permissions, held: value }, endsTokens: true };
    });
    if (isHeld) await this.removal.takeFirst(name);
  }

  /** @throws AppError `permissions-too-large` when a user's permissions would not fit a token */
  async #assertFits(em: SqlEntityManager, name: string, permissions: readonly string[]): Promise<void> {
    // everybody may come to hold it alone, and no set is kept of that
    if (name === 'user' && !fitsToken(permissions)) throw new AppError('permissions-too-large');
    const sets = await this.roles.findSetsWith(em, name);
    const permissionsOf = await this.roles.permissionsOf(em, [...new Set(sets.flat())]);
    permissionsOf.set(name, permissions);
    const tooLarge = sets.filter((set) => !fitsToken(unionOf(set, permissionsOf)));
    if (tooLarge.length > 0 && (await this.holders.isAnySetHeld(em, tooLarge))) {
      throw new AppError('permissions-too-large');
    }
  }

  async #change<T>(
    name: string,
    event: RoleEvent,
    by: Actor,
    work: (em: SqlEntityManager) => Promise<Outcome<T>>,
  ): Promise<T> {
    const { value, endsTokens } = await this.revocations.transactional(async (em, revoke) => {
      await this.roles.lockForChange(em);
      const outcome = await work(em);
      if (!outcome.details) return outcome;
      if (outcome.endsTokens) {
        const generation = await this.roles.raiseGeneration(em);
        const cause = event === 'role-deleted' ? event : 'role-changed';
        await revoke({ kind: 'role', subject: name, generation, cause });
        await this.registry.announce(em);
      }
      await this.audit.record({ event, details: { role: name, ...outcome.details } }, by, em);
      return outcome;
    });
    if (endsTokens) await this.registry.reload();
    return value;
  }
}

type RoleEvent = Extract<AuditEvent['event'], 'role-created' | 'role-changed' | 'role-deleted'>;
type Outcome<T> = {
  readonly value: T;
  /** For the audit row, beside the name; none when nothing has changed. */
  readonly details?: AuditEvent['details'];
  readonly endsTokens: boolean;
};

const stillHeld =
  'A role with this name was removed and is being taken from the users who held it. Try again in a few minutes.';

/** @throws AppError `role-not-found` */
function present(role: Role | undefined): Role {
  if (!role || role.removedAt) throw new AppError('role-not-found');
  return role;
}

const byName = (left: Role, right: Role): number => (left.name < right.name ? -1 : 1);

function differenceOf(before: readonly string[], after: readonly string[]) {
  return {
    added: after.filter((permission) => !before.includes(permission)),
    removed: before.filter((permission) => !after.includes(permission)),
  };
}

function viewOf({ name, description, permissions, builtIn, createdAt, updatedAt }: Role): RoleView {
  return {
    name,
    description: description ?? null,
    permissions: [...permissions],
    builtIn,
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  };
}
