import { defineEntity, type InferEntity, p } from '@mikro-orm/sql';

/**
 * A role that users may hold: a name for permissions. `removedAt` is set while the users who held
 * it are relieved of it; until then nobody can hold it, and no other role can take its name.
 */
export const RoleEntity = defineEntity({
  name: 'Role',
  tableName: 'roles',
  properties: {
    name: p.text().primary(),
    description: p.text().nullable(),
    permissions: p.array().columnType('text[]').default([]),
    builtIn: p.boolean().default(false),
    removedAt: p.datetime().columnType('timestamptz(3)').nullable(),
    createdAt: p.datetime().columnType('timestamptz(3)').defaultRaw('now()'),
    updatedAt: p
      .datetime()
      .columnType('timestamptz(3)')
      .defaultRaw('now()')
      .onUpdate(() => new Date()),
  },
});

export type Role = InferEntity<typeof RoleEntity>;

/** One row. Every change of a role raises it: see `RolesRepository.raiseGeneration`. */
export const RoleGenerationEntity = defineEntity({
  name: 'RoleGeneration',
  tableName: 'role_generation',
  properties: {
    isOnly: p.boolean().primary(),
    value: p.integer(),
  },
});

/**
 * Every set of roles that somebody holds or held, sorted, but for `user` alone; a trigger on
 * `users` keeps it. So a change of a role is checked against each set, and not against each user.
 */
export const RoleSetEntity = defineEntity({
  name: 'RoleSet',
  tableName: 'role_sets',
  properties: { roles: p.array().columnType('text[]').primary() },
});
