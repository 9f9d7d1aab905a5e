import { afterAll, beforeAll, expect, test } from 'vitest';

import { Sql } from '#libs/platform/database';

import { copyDatabase, type OwnDatabase } from '../support/copy-database.js';
import { admin, signInAdmin } from '../support/people.js';
import { runCli } from '../support/run-cli.js';
import { addTotp, codeOf, useCode } from '../support/second-factors.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';

const mail = { MAIL: 'smtp', SMTP_URL: 'smtp://127.0.0.1:1', MAIL_FROM: 'id@example.org' };
let own: OwnDatabase;
let gatehouse: Gatehouse;

beforeAll(async () => {
  own = await copyDatabase();
  gatehouse = await startGatehouse(mail, own);
});
afterAll(async () => {
  await gatehouse.stop();
  await own.drop();
});

const reset = (name: string): ReturnType<typeof runCli> =>
  runCli({ ...own.environment, ...mail }, 'users', 'reset-second-factor', name);
const rows = (text: string, values: readonly unknown[]): Promise<Record<string, unknown>[]> =>
  gatehouse.app.get(Sql).rows({ text }, values);

test('the operator takes a lost second factor from the last administrator, audited and mailed', async () => {
  const boss = await signInAdmin(gatehouse);
  const { id } = (await gatehouse.api.get('/v1/users/me', boss)).body;
  await rows(`update users set email = 'admin@example.org', email_key = 'admin@example.org' where id = $1`, [id]);
  const { secret } = await addTotp(gatehouse, boss);
  const mails = `select count(*)::int as n from outbox where user_id = $1 and kind = 'mail'`;
  expect(await rows(mails, [id])).toEqual([{ n: 1 }]);
  const { code, out, err } = await reset(admin.userName.toUpperCase());
  expect([code, err]).toEqual([0, '']);
  expect(out).toBe('The second factor is removed: the next login needs the password alone.\n');
  expect(await useCode(gatehouse, { id }, codeOf(secret))).toBeUndefined();
  const trail = `select caller, event from audit_events where user_id = $1 and event = 'second-factor-reset'`;
  expect(await rows(trail, [id])).toEqual([{ caller: 'operator', event: 'second-factor-reset' }]);
  expect(await rows(mails, [id])).toEqual([{ n: 2 }]);
});

test.each([
  [admin.userName, 'This user has no second factor of this kind.'],
  ['nobody', 'There is no user with this id or name.'],
])('for %s it says what is wrong', async (name, said) => {
  const { code, out, err } = await reset(name);
  expect([code, out]).toEqual([1, '']);
  expect(err).toContain(said);
});
