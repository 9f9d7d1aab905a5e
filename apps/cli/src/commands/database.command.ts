import type { INestApplicationContext } from '@nestjs/common';
import type { Command } from 'commander';

import { SharedSettingsService } from '#libs/auth';
import { loadConfig } from '#libs/platform/config';
import { migrate, openDatabase } from '#libs/platform/database';
import { schema } from '#libs/migrations';

import { type Environment, inContext, print } from '../operator-context.js';

/** What the replicas of a database share: schema (`migrate`) and settings (`settings adopt`). */
export function addDatabase(program: Command, environment: Environment): void {
  program
    .command('migrate')
    .description('bring the database schema up to date')
    .action(() => migrateSchema(environment));
  program
    .command('settings')
    .description('look after the settings that all replicas must share')
    .command('adopt')
    .description('record ISSUER and AUDIENCE as they are here; replicas that have others do not start any more')
    .action(inContext(environment)(adopt));
}

/** Safe while another migration or replicas run. */
async function migrateSchema(environment: Environment): Promise<void> {
  const orm = await openDatabase({ ...loadConfig(environment), statementMs: 0 }, schema);
  try {
    const names = await migrate(orm);
    print(names.length === 0 ? 'The schema is up to date.' : `Migrated: ${names.join(', ')}`);
  } finally {
    await orm.close(true);
  }
}

async function adopt(context: INestApplicationContext): Promise<void> {
  const changed = await context.get(SharedSettingsService).adopt();
  for (const { name, recorded, here } of changed) print(`${name} was ${recorded} and is ${here}.`);
  const next = 'Restart every replica with these settings: access tokens of before end, sessions go on.';
  print(changed.length === 0 ? 'They are recorded as they are here.' : next);
}
