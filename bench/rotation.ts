/**
 * Ten rotations of the signing key under verifications on two replicas, with tokens of each
 * new key at once. See README.md.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { post, seedAccounts, signIn, type Tokens } from './lib/accounts.ts';
import { Connection, meRequest } from './lib/connection.ts';
import { createDatabase } from './lib/database.ts';
import { readOptions } from './lib/options.ts';
import { masterKey, publicUrl, startReplica } from './lib/replica.ts';
import { printTable } from './lib/table.ts';

const options = readOptions({ verifications: 100_000, rotations: 10, users: 8, connections: 8 });
const { verifications, rotations, users, connections } = options.numbers;
const database = await createDatabase(options.database);
const start = () => startReplica(options, { databaseUrl: database.url, env: { REFRESH_GRACE_SECONDS: '60' } });
const replicas = [await start(), await start()] as const;

let [verified, refused, refreshed] = [0, 0, 0];
const keyIds = new Set<string>();
try {
  const tokens = [...(await signIn(replicas[0].port, await seedAccounts(replicas[0], database, users)))];
  let isDone = false;
  const verifying = Array.from({ length: connections }, async (_, at) => {
    // both replicas in turn, with the newest token of each user
    const connection = await Connection.open(replicas[at % 2 === 0 ? 0 : 1].port);
    for (let turn = at; verified < verifications || !isDone; turn++) {
      const { status } = await connection.send(meRequest(tokens[turn % users]?.accessToken ?? ''));
      verified++;
      if (status !== 200) refused++;
    }
    connection.close();
  });
  const renewing = (async () => {
    for (let turn = 0; !isDone; turn++) {
      // signed by one replica and used at once on the other
      const answer = await post(replicas[turn % 2 === 0 ? 0 : 1], '/v1/auth/refresh', {
        refreshToken: tokens[turn % users]?.refreshToken,
      });
      if (answer.status !== 200) throw new Error(`refresh: ${answer.status} ${await answer.text()}`);
      const pair = (await answer.json()) as Tokens;
      tokens[turn % users] = pair;
      keyIds.add(keyIdOf(pair.accessToken));
      refreshed++;
      await sleep(5);
    }
  })();
  for (let time = 0; time < rotations; time++) {
    await rotate();
    await sleep(500);
  }
  isDone = true;
  await Promise.all([...verifying, renewing]);
} finally {
  await Promise.all(replicas.map((replica) => replica.stop()));
  await database.drop();
}
printTable(`${rotations} rotations (keys rotate --now) under verifications on two replicas`, [
  { measure: 'verifications', value: verified, target: `≥ ${verifications}` },
  { measure: 'refused', value: refused, target: 0 },
  { measure: 'tokens renewed meanwhile', value: refreshed, target: '' },
  { measure: 'keys that signed them', value: keyIds.size, target: rotations + 1 },
]);

async function rotate(): Promise<void> {
  const command = spawn(
    join(options.app, 'node_modules/.bin/node'),
    ['dist/apps/cli/src/main.js', 'keys', 'rotate', '--now'],
    {
      cwd: options.app,
      env: { PATH: process.env['PATH'], DATABASE_URL: database.url, MASTER_KEY: masterKey, PUBLIC_URL: publicUrl },
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  const [code] = (await once(command, 'exit')) as [number];
  if (code !== 0) throw new Error(`keys rotate ended with ${code}`);
}

function keyIdOf(token: string): string {
  return JSON.parse(Buffer.from(token.split('.', 1)[0] ?? '', 'base64url').toString('utf8')).kid;
}
