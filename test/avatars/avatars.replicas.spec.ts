import { afterAll, beforeAll, expect, test } from 'vitest';

import { Sql } from '#libs/platform/database';

import { copyDatabase, type OwnDatabase } from '../support/copy-database.js';
import { fetchPicture, picture, putAvatar } from '../support/images.js';
import { newPerson, type Person } from '../support/people.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';

let own: OwnDatabase;
let replicas: readonly [Gatehouse, Gatehouse];
let [ada, grace]: Person[] = [];

beforeAll(async () => {
  own = await copyDatabase();
  // without memory, so that what is answered is what is there
  const start = () => startGatehouse({ AVATAR_CACHE_BYTES: '0' }, own);
  replicas = [await start(), await start()];
  [ada, grace] = [await newPerson(replicas[0]), await newPerson(replicas[0])];
});
afterAll(async () => {
  for (const replica of replicas) await replica.stop();
  await own.drop();
});

const rows = async (): Promise<number> => {
  const found = await replicas[0].app
    .get(Sql)
    .row<{ n: number }>({ text: 'select count(*)::int as n from avatars' }, []);
  return found?.n ?? -1;
};
const leave = (replica: Gatehouse, person?: Person) =>
  replica.api.delete('/v1/users/me/avatar', { token: person?.token });
const put = (replica: Gatehouse, file: Buffer, person?: Person) =>
  putAvatar(replica, 'me', file, { token: person?.token });

test('a user who takes a picture while its last user gives it up keeps it', async () => {
  const file = await picture().png().toBuffer();
  let [from, to] = [ada, grace];
  await put(replicas[0], file, from);
  for (let round = 0; round < 25; round++) {
    const [left, arrived] = await Promise.all([leave(replicas[0], from), put(replicas[1], file, to)]);
    expect([left.status, arrived.status]).toEqual([200, 200]);
    expect((await fetchPicture(replicas[0], arrived.body.avatar.url)).status, `round ${round}`).toBe(200);
    [from, to] = [to, from];
  }
  await leave(replicas[0], from);
  expect(await rows()).toBe(0);
});

test('two users who keep exchanging their pictures do not deadlock', async () => {
  const files = [await picture().png().toBuffer(), await picture().png().toBuffer()] as const;
  for (let round = 0; round < 15; round++) {
    const [mine = files[0], theirs = files[1]] = round % 2 === 0 ? files : files.toReversed();
    const answers = await Promise.all([put(replicas[0], mine, ada), put(replicas[1], theirs, grace)]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    for (const { body } of answers) expect((await fetchPicture(replicas[1], body.avatar.url)).status).toBe(200);
  }
  expect(await rows()).toBe(2);
});

test("an operator's own SQL leaves no picture behind", async () => {
  await replicas[0].app.get(Sql).rows({ text: 'delete from users where id = any($1)' }, [[ada?.id, grace?.id]]);
  expect(await rows()).toBe(0);
});
