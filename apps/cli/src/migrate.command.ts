import { stdout } from 'node:process';

import type { Command } from 'commander';

import { loadConfig } from '#libs/platform/config';
import { migrate, openDatabase } from '#libs/platform/database';
import { schema } from '#libs/migrations';

import type { Environment } from './operator-context.js';

/** Brings the schema up to date; safe to run beside another one and beside running replicas. */
export function addMigrate(program: Command, environment: Environment): void {
  program
    .command('migrate')
    .description('bring the database schema up to date')
    .action(async () => {
      const orm = await openDatabase({ ...loadConfig(environment), statementMs: 0 }, schema);
      try {
        const names = await migrate(orm);
        stdout.write(names.length === 0 ? 'The schema is up to date.\n' : `Migrated: ${names.join(', ')}\n`);
      } finally {
        await orm.close(true);
      }
    });
}
