import type { INestApplicationContext } from '@nestjs/common';
import type { Command } from 'commander';

import { KeyRotationService, SigningKeysService } from '#libs/auth';
import { SealedKeysRepository } from '#libs/platform/sealed-keys';

import { type Environment, inContext, print } from '../operator-context.js';

/** Looks after the signing keys: `keys list|rotate|retire|revoke-all|reseal`. */
export function addKeys(program: Command, environment: Environment): void {
  const run = inContext(environment);
  const keys = program.command('keys').description('look after the keys that sign access tokens');
  keys.command('list').description('list the keys that are not retired, oldest first').action(run(list));
  keys
    .command('rotate')
    .description('add a key; it signs in 10 minutes, when every verifier has read it')
    .option('--now', 'let it sign at once: verifiers that keep the key set may refuse its tokens for up to 5 minutes')
    .action(run(rotate));
  keys.command('retire <id>').description('end a key and, at once, every token that it signed').action(run(retire));
  keys
    .command('revoke-all')
    .description('for emergencies: end every session and every token there is')
    .action(run(revokeAll));
  keys
    .command('reseal')
    .description('after a change of MASTER_KEY: seal anew what MASTER_KEY_PREVIOUS sealed')
    .action(run(reseal));
}

function list(context: INestApplicationContext): Promise<void> {
  const { ring } = context.get(SigningKeysService);
  const now = Date.now();
  for (const { id, signsFromMs } of ring.keys) {
    const active = id === ring.signing(now)?.id ? 'signs' : 'verifies';
    print(`${id}  from ${new Date(signsFromMs).toISOString()}  ${signsFromMs > now ? 'signs later' : active}`);
  }
  return Promise.resolve();
}

async function rotate(context: INestApplicationContext, { now }: { now?: true }): Promise<void> {
  print(`Added ${await context.get(KeyRotationService).rotate(now ? 'at-once' : 'published-ahead', 'operator')}.`);
}

async function retire(context: INestApplicationContext, id: string): Promise<void> {
  if (!(await context.get(KeyRotationService).retire(id, 'operator'))) {
    throw new Error(`There is no key ${id} that is not retired: see keys list`);
  }
  print(`Retired ${id}; its tokens are dead.`);
}

async function revokeAll(context: INestApplicationContext): Promise<void> {
  await context.get(KeyRotationService).revokeAll('operator');
  print('Everybody has to sign in again.');
}

async function reseal(context: INestApplicationContext): Promise<void> {
  const count = (await context.get(KeyRotationService).reseal()) + (await context.get(SealedKeysRepository).reseal());
  print(`Sealed ${count} keys anew; MASTER_KEY_PREVIOUS is no longer needed.`);
}
