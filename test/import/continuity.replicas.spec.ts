import { randomUUID } from 'node:crypto';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { copyDatabase, type OwnDatabase } from '../support/copy-database.js';
import { importUsers } from '../support/imports.js';
import { isAccepted, signIn, signInAdmin } from '../support/people.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';
import { movedUser, password } from '../support/subjects.js';

let own: OwnDatabase;
let replicas: Gatehouse[] = [];
let token: string;

beforeAll(async () => {
  own = await copyDatabase();
  replicas = [await startGatehouse({}, own), await startGatehouse({}, own)];
  token = (await signInAdmin(here())).token;
});
afterAll(async () => {
  for (const replica of replicas) await replica.stop();
  await own.drop();
});

const here = (): Gatehouse => replicas.at(0) as Gatehouse;
const there = (): Gatehouse => replicas.at(1) as Gatehouse;

test.each(['Auth0', 'a UUID in capital letters'])(
  'a deactivation on one replica ends the tokens of an imported subject (%s) on the other',
  async (spelling) => {
    const { row } = movedUser(spelling);
    const { id } = (await importUsers(here(), [row], { token })).results[0];
    const user = await signIn(there(), { userName: String(row['userName']), password });
    expect([await isAccepted(here(), user.token), await isAccepted(there(), user.token)]).toEqual([true, true]);
    await here().api.patch(`/v1/users/${id}`, { token, body: { status: 'deactivated' } });
    expect([await isAccepted(here(), user.token), await isAccepted(there(), user.token)]).toEqual([false, false]);
  },
);

test('two imports at once never make a subject that is the id of another user', async () => {
  const ids = Array.from({ length: 40 }, () => randomUUID());
  const named = ids.map((id) => ({ ...movedUser('Auth0').row, id }));
  const subjects = ids.map((subject) => ({ ...movedUser('Auth0').row, subject }));
  const answers = await Promise.all([importUsers(here(), named, { token }), importUsers(there(), subjects, { token })]);
  const outcomes = answers.map(({ results }) => results.map(({ status, code }) => code ?? status));
  for (const [at] of ids.entries()) {
    const pair = outcomes.map((one) => one[at]);
    expect([
      ['created', 'subject-taken'],
      ['id-taken', 'created'],
    ]).toContainEqual(pair);
  }
});
