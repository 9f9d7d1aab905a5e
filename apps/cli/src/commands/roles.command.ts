import type { INestApplicationContext } from '@nestjs/common';
import type { Command } from 'commander';

import { createRoleSchema, roleNameSchema, RolesService, type RoleView } from '#libs/roles';
import { AppError } from '#libs/platform/errors';

import { type Environment, inContext, parse, print } from '../operator-context.js';

type Fields = { description?: string; permission?: string[] };

/** Looks after roles: `roles list|set|remove`. */
export function addRoles(program: Command, environment: Environment): void {
  const run = inContext(environment);
  const roles = program
    .command('roles')
    .description('look after the roles that users may hold; running replicas on PostgreSQL act on a change at once');
  roles.command('list').description('list them by name, with their permissions').action(run(list));
  roles
    .command('set <name>')
    .description('make one, or replace the permissions of one; access tokens with the old ones are dead at once')
    .option('--permission <names...>', 'what it permits, such as orders:read; none if absent')
    .option('--description <text>', 'what it is for; left as it is if absent')
    .action(run(set));
  roles
    .command('remove <name>')
    .description('remove one; access tokens that carry it are dead at once')
    .option('--force', 'take it from all users who hold it, too')
    .action(run(remove));
}

function show({ name, permissions, builtIn, description }: RoleView): void {
  const granted = permissions.length === 0 ? 'no permissions' : permissions.join(' ');
  print([name, ...(builtIn ? ['built in'] : []), granted, ...(description === null ? [] : [description])].join('  '));
}

async function list(context: INestApplicationContext): Promise<void> {
  for (const role of (await context.get(RolesService).list()).items) show(role);
}

async function set(
  context: INestApplicationContext,
  given: string,
  { description, permission = [] }: Fields,
): Promise<void> {
  const roles = context.get(RolesService);
  const fields = { permissions: permission, ...(description !== undefined && { description }) };
  const { name, ...change } = parse(createRoleSchema, { name: given, ...fields });
  try {
    show(await roles.patch(name, change, 'operator'));
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'role-not-found') throw error;
    show(await roles.create({ name, ...change }, 'operator'));
  }
}

async function remove(context: INestApplicationContext, given: string, { force }: { force?: true }): Promise<void> {
  const name = parse(roleNameSchema, given);
  await context.get(RolesService).remove(name, force ? 'take-from-users' : 'only-unheld', 'operator');
  print(`Removed ${name}; access tokens that carry it are dead.`);
}
