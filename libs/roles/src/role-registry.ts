import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable, type OnModuleInit } from '@nestjs/common';

import { type ChangeView, ReplicaNotifications, SharedRead } from '#libs/platform/database';

import { RolesRepository } from './roles.repository.js';
import { unionOf } from './token-size.js';

/** Under which replicas hear that a role has changed. */
const topic = 'roles';
/** Sets of roles and audiences for which permissions are kept, until a role changes. */
const keptSets = 10_000;

/** What tokens say of roles. `generation` ends with the next change of any role that they carry. */
export type GrantedPermissions = { readonly permissions: readonly string[]; readonly generation: number };

/**
 * All roles, in memory on every replica: what a token grants is found without a query. A token
 * carries the generation of the view that its permissions came from; when that view was old, the
 * token is ended by the change that it had not heard of (ADR 26).
 */
@Injectable()
export class RoleRegistry implements OnModuleInit {
  #generation = 0;
  #roles: ReadonlyMap<string, readonly string[]> = new Map();
  #removed: ReadonlySet<string> = new Set();
  #granted = new Map<string, readonly string[]>();
  #view: ChangeView | undefined;
  readonly #reads = new SharedRead(() => this.#read());

  constructor(
    private readonly repository: RolesRepository,
    private readonly notifications: ReplicaNotifications,
  ) {}

  onModuleInit(): void {
    this.#view = this.notifications.subscribe(topic, { catchUp: () => this.reload() });
  }

  /**
   * Makes sure that changes which were committed are known. @throws when the database does not
   * answer
   */
  makeFresh(): Promise<void> | undefined {
    return this.#view?.isFresh === true ? undefined : this.reload();
  }

  /** Tells every replica with the commit that a role has changed. */
  async announce(em: SqlEntityManager): Promise<void> {
    await this.notifications.publish(em, topic, 'changed');
  }

  /** Reads what is committed by now. */
  reload(): Promise<void> {
    return this.#reads.run();
  }

  /**
   * What all of the roles permit, sorted. Roles that do not exist permit nothing.
   * @param known the permissions that an audience knows; empty for one that takes any
   */
  grantedTo(roles: readonly string[], known: readonly string[] = []): GrantedPermissions {
    const key = JSON.stringify([roles, known]);
    const kept = this.#granted.get(key);
    const permissions = kept ?? this.#union(roles, known);
    if (!kept) {
      if (this.#granted.size >= keptSets) this.#granted.clear();
      this.#granted.set(key, permissions);
    }
    return { permissions, generation: this.#generation };
  }

  /**
   * Those of a user's roles that count. A role that was removed and is being taken from its holders
   * counts no more; who has no other is left with `user`.
   */
  withoutRemoved(roles: readonly string[]): readonly string[] {
    // fast path: hardly ever is a role being removed
    if (this.#removed.size === 0) return roles;
    const left = roles.filter((name) => !this.#removed.has(name));
    return left.length > 0 ? left : ['user'];
  }

  #union(roles: readonly string[], known: readonly string[]): readonly string[] {
    const all = unionOf(roles, this.#roles);
    return known.length === 0 ? all : all.filter((permission) => known.includes(permission));
  }

  async #read(): Promise<void> {
    const { generation, roles, removed } = await this.repository.readSnapshot();
    this.#generation = generation;
    this.#roles = new Map(roles.map(({ name, permissions }) => [name, permissions]));
    this.#removed = new Set(removed);
    this.#granted = new Map();
  }
}
