import { randomUUID } from 'node:crypto';

import { SqlEntityManager } from '@mikro-orm/sql';
import { beforeAll, expect, test } from 'vitest';

import { newMessage } from '../support/messages.js';
import { newPerson, type Person, signInAdmin } from '../support/people.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse();
let adminToken: string;
let [sender, reader]: Person[] = [];

beforeAll(async () => {
  adminToken = (await signInAdmin(gatehouse)).token;
  [sender, reader] = [await newPerson(gatehouse), await newPerson(gatehouse)];
});

const count = 200;
const inTurn = Array.from({ length: count }, (_, at) => at);
const isAsReader = (at: number): boolean => at % 2 === 0;

test('of many users asked for at once each answer is the one asked for, and one is not there', async () => {
  const em = gatehouse.app.get(SqlEntityManager).fork();
  const ids = inTurn.map(() => randomUUID());
  await em.execute(
    `insert into users (id, user_name, user_name_key, first_name, last_name, roles, password_hash, created_at, updated_at)
      select id, 'crowd-' || id, 'crowd-' || id, 'A', 'B', '{user}', '', now(), now() from unnest(?::uuid[]) as id`,
    [`{${ids.join()}}`],
  );
  const wanted = ids.toSpliced(77, 1, randomUUID());
  const answers = await Promise.all(wanted.map((id) => gatehouse.api.get(`/v1/users/${id}`, { token: adminToken })));
  const found = answers.map(({ status, body }) => (status === 200 ? [body.id, body.userName] : status));
  expect(found).toEqual(wanted.map((id, at) => (at === 77 ? 404 : [id, `crowd-${id}`])));
});

test('of many messages asked for at once each is opened for whom it is, and for nobody else', async () => {
  const sent = await Promise.all(
    inTurn.map((at) => {
      const recipientId = at % 3 === 0 ? { recipientId: reader?.id } : {};
      return newMessage(gatehouse, { token: sender?.token ?? '', body: `number ${at}`, ...recipientId });
    }),
  );
  const answers = await Promise.all(
    sent.map(({ path }, at) => gatehouse.api.get(path, isAsReader(at) ? { token: reader?.token ?? '' } : {})),
  );
  const found = answers.map(({ status, body }) => (status === 200 ? body.body : status));
  expect(found).toEqual(inTurn.map((at) => (at % 3 === 0 && !isAsReader(at) ? 404 : `number ${at}`)));
});
