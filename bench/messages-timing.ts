/** Whether the time of a 404 tells what is wrong with the URL of a message. See README.md. */
import { seedAccounts, signIn } from './lib/accounts.ts';
import { Connection, jsonRequest } from './lib/connection.ts';
import { createDatabase } from './lib/database.ts';
import { readOptions } from './lib/options.ts';
import { pin } from './lib/process-usage.ts';
import { startReplica } from './lib/replica.ts';
import { mannWhitneyP, median } from './lib/statistics.ts';
import { printTable } from './lib/table.ts';

const options = readOptions({ rounds: 3_000, 'warm-up': 500 });
const { rounds, 'warm-up': warmUp } = options.numbers;
const database = await createDatabase(options.database);
const server = await startReplica(options, { databaseUrl: database.url });
const kinds = new Map<string, string>();
const times = new Map<string, number[]>();
try {
  pin(process.pid, options.loadCpu);
  const accounts = await seedAccounts(server, database, 1);
  const [{ accessToken } = { accessToken: '' }] = await signIn(server.port, accounts);
  const connection = await Connection.open(server.port);
  const send = async (fields: object): Promise<{ token: string; id: string }> => {
    const body = { body: 'x'.repeat(500), ...fields };
    const { status, body: text } = await connection.send(jsonRequest('POST', '/v1/messages', body, accessToken));
    if (status !== 201) throw new Error(`${status}: ${text}`);
    const { url, id } = JSON.parse(text);
    return { token: url.split('#')[1], id };
  };
  kinds.set('unknown', 'A'.repeat(43));
  kinds.set('not yours', (await send({ recipientId: accounts[0]?.id, maxReads: 1 })).token);
  const [expired, used, deleted] = [await send({}), await send({ maxReads: 1 }), await send({})];
  await database.query('update messages set expires_at = now() where id = $1', [expired.id]);
  await connection.send(jsonRequest('POST', `/v1/messages/${used.token}/reveal`));
  await connection.send(jsonRequest('DELETE', `/v1/messages/${deleted.token}`));
  kinds.set('expired', expired.token).set('used up', used.token).set('deleted', deleted.token);
  await database.pinBackends(options.loadCpu);
  for (const name of kinds.keys()) times.set(name, []);
  for (let round = 0; round < rounds + warmUp; round++) {
    for (const [name, token] of kinds) {
      const startedAt = performance.now();
      const { status } = await connection.send(jsonRequest('POST', `/v1/messages/${token}/reveal`));
      if (round >= warmUp) times.get(name)?.push(performance.now() - startedAt);
      if (status !== 404) throw new Error(`${name}: ${status}`);
    }
  }
  connection.close();
} finally {
  await server.stop();
  await database.drop();
}
const unknown = times.get('unknown') ?? [];
printTable(
  `POST /v1/messages/{token}/reveal that answers 404, ${rounds} of each in turns`,
  [...times].map(([name, own]) => ({
    'the message is': name,
    'median ms': median(own).toFixed(3),
    'Mann–Whitney p against unknown': name === 'unknown' ? '' : mannWhitneyP(own, unknown).toFixed(4),
    target: name === 'unknown' ? '' : '> 0.01',
  })),
);
