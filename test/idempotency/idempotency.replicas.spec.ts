import { randomUUID } from 'node:crypto';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { copyDatabase, type OwnDatabase } from '../support/copy-database.js';
import { importRow, importUsers } from '../support/imports.js';
import { newPerson, registration, signInAdmin } from '../support/people.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';

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

test('one import that reaches two replicas at once is done once, and both give the same answer', async () => {
  const [replica] = replicas;
  const { token } = await signInAdmin(replica);
  for (let round = 0; round < 5; round += 1) {
    const [headers, rows] = [{ 'idempotency-key': randomUUID() }, [importRow(), importRow()]];
    const answers = await Promise.all(replicas.map((to) => importUsers(to, rows, { token, headers })));
    expect(answers[0]?.summary).toMatchObject({ done: true, created: 2 });
    expect(answers[0]?.answer.text).toBe(answers[1]?.answer.text);
    expect(answers.filter(({ answer }) => answer.headers.has('idempotency-replayed'))).toHaveLength(1);
  }
});

test('one message that reaches two replicas at once is at one URL, and either replica opens it', async () => {
  const { token } = await newPerson(replicas[0]);
  for (let round = 0; round < 5; round += 1) {
    const [headers, body] = [{ 'idempotency-key': randomUUID() }, { body: 'meet me', maxReads: 1 }];
    const answers = await Promise.all(replicas.map(({ api }) => api.post('/v1/messages', { token, body, headers })));
    expect(answers.map(({ status }) => status)).toEqual([201, 201]);
    expect(answers[0]?.text).toBe(answers[1]?.text);
    const secret = String(answers[0]?.body.url).split('#')[1];
    const reads = await Promise.all(replicas.map(({ api }) => api.post(`/v1/messages/${secret}/reveal`)));
    expect(reads.filter(({ status }) => status === 200)).toHaveLength(1);
  }
});
