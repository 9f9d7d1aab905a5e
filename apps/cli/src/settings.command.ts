import { stdout } from 'node:process';

import type { Command } from 'commander';

import { SharedSettings } from '#libs/auth';

import { type Environment, withContext } from './operator-context.js';

/** Looks after what all replicas of a database must share: `settings adopt`. */
export function addSettings(program: Command, environment: Environment): void {
  program
    .command('settings')
    .description('look after the settings that all replicas must share')
    .command('adopt')
    .description('record ISSUER and AUDIENCE as they are here; replicas that have others do not start any more')
    .action(() => adopt(environment));
}

const adopt = (environment: Environment): Promise<void> =>
  withContext(environment, async (context) => {
    const changed = await context.get(SharedSettings).adopt();
    for (const { name, recorded, here } of changed) stdout.write(`${name} was ${recorded} and is ${here}.\n`);
    const next = 'Restart every replica with these settings: access tokens of before end, sessions go on.';
    stdout.write(changed.length === 0 ? 'They are recorded as they are here.\n' : `${next}\n`);
  });
