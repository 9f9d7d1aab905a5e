import { stdout } from 'node:process';

import type { Command } from 'commander';

import { OperatorAdmin } from '#libs/users';

import { type Environment, withContext } from './operator-context.js';

/** `admin create <name>`: for whoever has no administrator to ask. */
export function addAdmin(program: Command, environment: Environment): void {
  const admin = program.command('admin').description('look after administrators');
  admin
    .command('create <userName>')
    .description('make an administrator; the password is shown once')
    .action((name: string) =>
      withContext(environment, async (context) => {
        const { userName, password } = await context.get(OperatorAdmin).create(name);
        stdout.write(`${userName}, password ${password ?? ''}: shown this once and kept nowhere\n`);
      }),
    );
}
