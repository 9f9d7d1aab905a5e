import { stdout } from 'node:process';

import type { Command } from 'commander';

import { KeyRotation, SigningKeys } from '#libs/auth';
import { SealedKeys } from '#libs/platform/sealed-keys';

import { type Environment, withContext } from './operator-context.js';

/** Looks after the signing keys: `keys list|rotate|retire|revoke-all|reseal`. */
export function addKeys(program: Command, environment: Environment): void {
  const keys = program.command('keys').description('look after the keys that sign access tokens');
  keys
    .command('list')
    .description('list the keys that are not retired, oldest first')
    .action(() => list(environment));
  keys
    .command('rotate')
    .description('add a key; it signs in 10 minutes, when every verifier has read it')
    .option('--now', 'let it sign at once: verifiers that keep the key set may refuse its tokens for up to 5 minutes')
    .action(({ now }: { now?: boolean }) => rotate(environment, now === true ? 'at-once' : 'published-ahead'));
  keys
    .command('retire <id>')
    .description('end a key and, at once, every token that it signed')
    .action((id: string) => retire(environment, id));
  keys
    .command('revoke-all')
    .description('for emergencies: end every session and every token there is')
    .action(() => revokeAll(environment));
  keys
    .command('reseal')
    .description('after a change of MASTER_KEY: seal anew what MASTER_KEY_PREVIOUS sealed')
    .action(() => reseal(environment));
}

const print = (text: string): void => void stdout.write(`${text}\n`);

const list = (environment: Environment): Promise<void> =>
  withContext(environment, async (context) => {
    const { ring } = context.get(SigningKeys);
    const now = Date.now();
    for (const { id, signsFromMs } of ring.keys) {
      const active = id === ring.signing(now)?.id ? 'signs' : 'verifies';
      print(`${id}  from ${new Date(signsFromMs).toISOString()}  ${signsFromMs > now ? 'signs later' : active}`);
    }
  });

const rotate = (environment: Environment, when: 'at-once' | 'published-ahead'): Promise<void> =>
  withContext(environment, async (context) => {
    print(`Added ${await context.get(KeyRotation).rotate(when, 'operator')}.`);
  });

const retire = (environment: Environment, id: string): Promise<void> =>
  withContext(environment, async (context) => {
    if (!(await context.get(KeyRotation).retire(id, 'operator'))) {
      throw new Error(`There is no key ${id} that is not retired: see keys list`);
    }
    print(`Retired ${id}; its tokens are dead.`);
  });

const revokeAll = (environment: Environment): Promise<void> =>
  withContext(environment, async (context) => {
    await context.get(KeyRotation).revokeAll('operator');
    print('Everybody has to sign in again.');
  });

const reseal = (environment: Environment): Promise<void> =>
  withContext(environment, async (context) => {
    const count = (await context.get(KeyRotation).reseal()) + (await context.get(SealedKeys).reseal());
    print(`Sealed ${count} keys anew; MASTER_KEY_PREVIOUS is no longer needed.`);
  });
