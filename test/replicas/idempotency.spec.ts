import { randomUUID } from 'node:crypto';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { registration } from '../support/people.js';
import { copyDatabase, type Gatehouse, type OwnDatabase, startGatehouse } from '../support/start-gatehouse.js';

let database: OwnDatabase;
let replicas: [Gatehouse, Gatehouse];

beforeAll(async () => {
  database = await copyDatabase();
  const environment = { MASTER_KEY: Buffer.alloc(32, 7).toString('base64') };
  replicas = [await startGatehouse(environment, database), await startGatehouse(environment, database)];
});
afterAll(async () => {
  await Promise.all(replicas.map(({ stop }) => stop()));
  await database.drop();
});

test('one request that reaches two replicas at once makes one user, and both give the same answer', async () => {
  for (let round = 0; round < 5; round += 1) {
    const [key, body] = [randomUUID(), registration()];
    const headers = { 'idempotency-key': key };
    const answers = await Promise.all(replicas.map(({ api }) => api.post('/v1/users', { body, headers })));
    expect(answers.map(({ status }) => status)).toEqual([201, 201]);
    expect(answers[0]?.text).toBe(answers[1]?.text);
    expect(answers.filter((answer) => answer.headers.has('idempotency-replayed'))).toHaveLength(1);
  }
});
