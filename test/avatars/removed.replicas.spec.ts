import { afterAll, beforeAll, expect, test } from 'vitest';

import { ReplicaNotifications, Sql } from '#libs/platform/database';

import { copyDatabase, type OwnDatabase } from '../support/copy-database.js';
import { fetchPicture, inSize, picture, putAvatar } from '../support/images.js';
import { newPerson, type Person, signInAdmin } from '../support/people.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';

let own: OwnDatabase;
let replicas: readonly [Gatehouse, Gatehouse];
let boss: string;

beforeAll(async () => {
  own = await copyDatabase();
  replicas = [await startGatehouse({}, own), await startGatehouse({}, own)];
  boss = (await signInAdmin(replicas[0])).token;
});
afterAll(async () => {
  for (const replica of replicas) await replica.stop();
  await own.drop();
});

const file = (): Promise<Buffer> => picture().png().toBuffer();
const give = async (person: Person, bytes?: Buffer): Promise<string> =>
  (await putAvatar(replicas[0], 'me', bytes ?? (await file()), { token: person.token })).body.avatar.url;
/** What each replica answers for the picture, in two sizes. */
const everywhere = async (url: string): Promise<number[]> => {
  const answers = [64, 256].flatMap((size) => replicas.map((replica) => fetchPicture(replica, inSize(url, size))));
  return (await Promise.all(answers)).map(({ status }) => status);
};
const there = [200, 200, 200, 200];
const gone = [404, 404, 404, 404];

test.for<[how: string, remove: (person: Person) => Promise<unknown>]>([
  ['taken away', ({ token }) => replicas[0].api.delete('/v1/users/me/avatar', { token })],
  ['replaced', (person) => give(person)],
  ['taken away by an administrator', ({ id }) => replicas[1].api.delete(`/v1/users/${id}/avatar`, { token: boss })],
  ['erased with its user', ({ id }) => replicas[1].api.delete(`/v1/users/${id}`, { token: boss })],
])('a picture that was %s is shown by no replica any more, as soon as that is answered', async ([, remove]) => {
  const person = await newPerson(replicas[0]);
  const url = await give(person);
  expect(await everywhere(url)).toEqual(there);
  await remove(person);
  expect(await everywhere(url)).toEqual(gone);
});

test('what an operator removes by SQL goes too', async () => {
  const person = await newPerson(replicas[0]);
  const url = await give(person);
  expect(await everywhere(url)).toEqual(there);
  await replicas[0].app.get(Sql).rows({ text: 'delete from users where id = $1' }, [person.id]);
  await expect.poll(() => everywhere(url)).toEqual(gone);
});

test('a picture that somebody else has too stays, and comes back when it is given again', async () => {
  const [ada, grace] = [await newPerson(replicas[0]), await newPerson(replicas[0])];
  const bytes = await file();
  const url = await give(ada, bytes);
  await give(grace, bytes);
  await replicas[0].api.delete('/v1/users/me/avatar', { token: ada.token });
  expect(await everywhere(url)).toEqual(there);
  await replicas[0].api.delete('/v1/users/me/avatar', { token: grace.token });
  expect(await everywhere(url)).toEqual(gone);
  await give(ada, bytes);
  expect(await everywhere(url)).toEqual(there);
});

test('what is read while it is removed is not kept', async () => {
  for (let round = 0; round < 10; round++) {
    const person = await newPerson(replicas[0]);
    const url = await give(person);
    const reads = Array.from({ length: 20 }, () => everywhere(url));
    const removed = replicas[1].api.delete(`/v1/users/${person.id}/avatar`, { token: boss });
    await Promise.all([...reads, removed]);
    expect(await everywhere(url)).toEqual(gone);
  }
});

test('a replica that cannot hear of removals asks the database', async () => {
  const person = await newPerson(replicas[0]);
  const url = await give(person);
  expect(await everywhere(url)).toEqual(there);
  const sql = replicas[0].app.get(Sql);
  const cut = () =>
    sql.rows(
      {
        text: `select pg_terminate_backend(pid) from pg_stat_activity
          where application_name = 'gatehouse listener' and datname = current_database()`,
      },
      [],
    );
  await cut();
  await replicas[0].api.delete('/v1/users/me/avatar', { token: person.token });
  expect(await everywhere(url)).toEqual(gone);
  await expect.poll(() => replicas.every(({ app }) => app.get(ReplicaNotifications).staleMs < 250)).toBe(true);
  expect(await everywhere(url)).toEqual(gone);
});

/** So many times the picture is gone between being kept and being linked. */
async function losingRaces(times: number, work: () => Promise<void>): Promise<void> {
  const sql = replicas[0].app.get(Sql);
  for (const text of [
    'create sequence public.lost_races',
    `create function public.lose_race() returns trigger language plpgsql as $$ begin
       if nextval('public.lost_races') <= ${times} then return null; end if;
       return new; end $$`,
    `create trigger lose_race before update on public.avatars for each row
       when (old.unlinked_since is not null and new.unlinked_since is null) execute function public.lose_race()`,
  ]) {
    await sql.rows({ text }, []);
  }
  try {
    await work();
  } finally {
    await sql.rows({ text: 'drop function public.lose_race cascade' }, []);
    await sql.rows({ text: 'drop sequence public.lost_races' }, []);
  }
}

test('a picture that twice was removed before it was linked is kept a third time', async () => {
  const person = await newPerson(replicas[0]);
  await losingRaces(2, async () => {
    expect(await everywhere(await give(person))).toEqual(there);
  });
});

test('one that was removed three times is refused for now, and the user keeps the picture from before', async () => {
  const person = await newPerson(replicas[0]);
  const url = await give(person);
  await losingRaces(3, async () => {
    const { status, body, headers } = await putAvatar(replicas[0], 'me', await file(), { token: person.token });
    expect([status, body.code, headers.get('retry-after')]).toEqual([503, 'unavailable', '1']);
  });
  expect((await replicas[0].api.get('/v1/users/me', { token: person.token })).body.avatar.url).toBe(url);
  expect(await everywhere(url)).toEqual(there);
});
