import { SqlEntityManager } from '@mikro-orm/sql';
import { beforeAll, expect, test } from 'vitest';

import { registration, signInAdmin } from '../support/people.js';
import { keyOf, newService } from '../support/services.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse({ environment: { RATE_LIMIT_IP_WRITE: '100000' } });
let token: string;

beforeAll(async () => {
  token = (await signInAdmin(gatehouse)).token;
});

const newUser = async (): Promise<string> =>
  (await gatehouse.api.post('/v1/users', { token, body: registration() })).body.id;
const read = (id: string) => gatehouse.api.get(`/v1/users/${id}`, { token });
const patch = (id: string, body: object, headers = {}) =>
  gatehouse.api.patch(`/v1/users/${id}`, { token, body, headers });

test('of changes at once to one version, one is made and the others are told', async () => {
  const id = await newUser();
  const etag = (await read(id)).headers.get('etag') ?? '';
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, n) => patch(id, { firstName: `Ada ${n}` }, { 'if-match': etag })),
  );
  const made = answers.filter(({ status }) => status === 200);
  expect(made).toHaveLength(1);
  expect(answers.filter(({ status }) => status === 412)).toHaveLength(19);
  expect((await read(id)).body).toEqual(made[0]?.body);
});

test('changes at once to different fields are all kept, and each answer is a version of its own', async () => {
  const id = await newUser();
  const changes = [
    { firstName: 'Grace' },
    { lastName: 'Hopper' },
    { email: `${id}@example.org` },
    { roles: ['admin'] },
  ];
  const answers = await Promise.all(changes.map((change) => patch(id, change)));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  expect((await read(id)).body).toMatchObject(Object.assign({}, ...changes));
  expect(new Set(answers.map(({ headers }) => headers.get('etag'))).size).toBe(4);
});

test('of rotations of a secret at once one is done, and its secret works; the others are told', async () => {
  const { name } = await newService(gatehouse, { token, scopes: ['users:read'] });
  const sql = gatehouse.app.get(SqlEntityManager);
  const rotations = await sql.fork().transactional(async (em) => {
    await em.execute('select from services where name = ? for update', [name]);
    const sent = [1, 2, 3].map(() => gatehouse.api.post(`/v1/services/${name}/secret`, { token }));
    const waiting =
      "select count(*)::int as n from pg_stat_activity where wait_event_type = 'Lock' and query like '%services%' and datname = current_database()";
    await expect.poll(async () => (await sql.fork().execute(waiting))[0]?.['n']).toBe(3);
    return { sent };
  });
  const answers = await Promise.all(rotations.sent);
  const refused = answers.filter(({ status }) => status !== 200);
  expect(refused.map(({ status, body }) => [status, body.code])).toEqual([
    [409, 'rotation-conflict'],
    [409, 'rotation-conflict'],
  ]);
  const done = answers.find(({ status }) => status === 200);
  const headers = keyOf(name, done?.body.secret);
  expect((await gatehouse.api.get('/v1/users?limit=1', { headers })).status).toBe(200);
});

test('clients that read, change and retry until the version fits lose no update', async () => {
  const id = await newUser();
  await patch(id, { lastName: '0' });
  const add = async (): Promise<void> => {
    for (;;) {
      const { headers, body } = await read(id);
      const next = String(Number(body.lastName) + 1);
      const { status } = await patch(id, { lastName: next }, { 'if-match': headers.get('etag') ?? '' });
      if (status === 200) return;
      expect(status).toBe(412);
    }
  };
  await Promise.all(Array.from({ length: 6 }, add));
  expect((await read(id)).body.lastName).toBe('6');
});
