import { randomUUID } from 'node:crypto';

import { beforeAll, describe, expect, test } from 'vitest';

import { picture } from '../support/images.js';
import { importRow, toNdjson } from '../support/imports.js';
import { newPerson, type Person, registration, signIn, signInAdmin, uniqueName } from '../support/people.js';
import { newService } from '../support/services.js';
import { nowSeconds, takeApart, withClaims } from '../support/tokens.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse({ environment: { IMPORT_MAX_SECONDS: '12' } });
let token: string;
/** Begun first and looked at last, so that nothing waits for its end. */
let endless: Promise<{ status: number; text: string }>;

beforeAll(async () => {
  token = (await signInAdmin(gatehouse)).token;
  const { answer, send } = openImport(callAs(await newAdmin()));
  send('\n');
  endless = answer;
});

/** bcrypt, cost 6, of `abc` (jBCrypt) */
const passwordHash = '$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i';
const soon = { timeout: 10_000 };
const callAs = (caller: Person) => ({ authorization: `Bearer ${caller.token}` });

/** Somebody else who administers. */
async function newAdmin(): Promise<Person> {
  const person = await newPerson(gatehouse);
  const raised = await gatehouse.api.patch(`/v1/users/${person.id}`, { token, body: { roles: ['user', 'admin'] } });
  expect(raised.status).toBe(200);
  return { ...person, ...(await signIn(gatehouse, person)) };
}

/** A request whose body is sent piece by piece. */
function open(path: string, headers: Record<string, string>) {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const body = new ReadableStream<Uint8Array>({
    start: (given) => {
      controller = given;
    },
  });
  const answer = fetch(gatehouse.url + path, { method: 'POST', headers, body, duplex: 'half' }).then(
    async (response) => ({ status: response.status, text: await response.text() }),
  );
  return {
    answer,
    send: (part: string | Uint8Array) => controller?.enqueue(Buffer.from(part)),
    end: () => controller?.close(),
  };
}

const openImport = (headers: Record<string, string>) =>
  open('/v1/users/import', { 'content-type': 'application/x-ndjson', ...headers });
const running = async (): Promise<number> => {
  const { items } = (await gatehouse.api.get('/v1/audit?limit=1', { token })).body;
  return items[0].event === 'users-import-started' ? 1 : 0;
};
const exists = async (userName: unknown): Promise<boolean> =>
  (await gatehouse.api.get(`/v1/users/by-user-name/${String(userName)}`, { token })).status === 200;

type End = (admin: Person) => Promise<unknown>;
const ends: [string, End][] = [
  ['deactivated', ({ id }) => gatehouse.api.patch(`/v1/users/${id}`, { token, body: { status: 'deactivated' } })],
  ['erased', ({ id }) => gatehouse.api.delete(`/v1/users/${id}`, { token })],
  [
    'no administrator any more',
    ({ id }) => gatehouse.api.patch(`/v1/users/${id}`, { token, body: { roles: ['user'] } }),
  ],
  ['signed out everywhere', (admin) => gatehouse.api.post('/v1/auth/logout-all', { token: admin.token })],
  ['signed out', (admin) => gatehouse.api.post('/v1/auth/logout', { token: admin.token })],
];

describe('an import that was begun before its caller is', () => {
  test.each(ends)('%s makes no user after it', async (_, end) => {
    const admin = await newAdmin();
    const { answer, send, end: close } = openImport(callAs(admin));
    send('\n');
    await expect.poll(running, soon).toBe(1);
    await end(admin);
    const row = importRow({ roles: ['admin'], passwordHash });
    send(toNdjson([row]));
    close();
    const { status, text } = await answer;
    expect([status, JSON.parse(text).code]).toEqual([401, 'invalid-token']);
    expect(await exists(row['userName'])).toBe(false);
  });

  test('deactivated keeps what was written, and says why it ended, without being waited for', async () => {
    const admin = await newAdmin();
    const rows = Array.from({ length: 1_500 }, () => importRow());
    const response = openImport(callAs(admin));
    response.send(toNdjson(rows));
    await expect.poll(() => exists(rows[0]?.['userName']), soon).toBe(true);
    await gatehouse.api.patch(`/v1/users/${admin.id}`, { token, body: { status: 'deactivated' } });
    const { status, text } = await response.answer;
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect([status, lines.at(-1)]).toMatchObject([200, { done: false, stopped: { code: 'invalid-token' } }]);
    expect(lines).toHaveLength(lines.at(-1).created + 1);
  });
});

test('an import ends with the token that it was begun with', async () => {
  const exp = nowSeconds() + 2;
  const brief = withClaims(takeApart(gatehouse, token), { exp, jti: randomUUID() });
  const { answer, send } = openImport({ authorization: `Bearer ${brief}` });
  send('\n');
  const { status, text } = await answer;
  expect([status, JSON.parse(text).code]).toEqual([401, 'invalid-token']);
});

test.each([
  ['switched off', { status: 'deactivated' }, 401],
  ['without the scope', { scopes: ['users:read'] }, 403],
] as const)('an import of a service that is then %s makes no user', async (_, change, expected) => {
  const { name, headers } = await newService(gatehouse, { token, scopes: ['users:write'] });
  const { answer, send, end } = openImport(headers);
  send('\n');
  await expect.poll(running, soon).toBe(1);
  expect((await gatehouse.api.patch(`/v1/services/${name}`, { token, body: change })).status).toBe(200);
  const row = importRow({ passwordHash });
  send(toNdjson([row]));
  end();
  expect((await answer).status).toBe(expected);
  expect(await exists(row['userName'])).toBe(false);
});

test('one caller cannot keep others from importing', async () => {
  const admin = await newAdmin();
  const [one, two] = [openImport(callAs(admin)), openImport(callAs(admin))];
  one.send('\n');
  two.send('\n');
  await expect.poll(running, soon).toBe(1);
  const third = await gatehouse.api.post('/v1/users/import', {
    token: admin.token,
    body: '\n',
    headers: { 'content-type': 'application/x-ndjson' },
  });
  expect([third.status, third.body.code]).toEqual([503, 'overloaded']);
  const other = await gatehouse.api.post('/v1/users/import', {
    token,
    body: toNdjson([importRow()]),
    headers: { 'content-type': 'application/x-ndjson' },
  });
  expect(other.status).toBe(200);
  one.end();
  two.end();
  expect([(await one.answer).status, (await two.answer).status]).toEqual([200, 200]);
});

/** A registration as a form with a picture, in two halves. */
async function formInHalves(fields: Record<string, unknown>): Promise<{ type: string; halves: readonly Buffer[] }> {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, String(value));
  form.append('avatar', new Blob([Uint8Array.from(await picture().png().toBuffer())], { type: 'image/png' }), 'a.png');
  const request = new Request('http://gatehouse.test', { method: 'POST', body: form });
  const bytes = Buffer.from(await request.arrayBuffer());
  return { type: request.headers.get('content-type') ?? '', halves: [bytes.subarray(0, -60), bytes.subarray(-60)] };
}

test.each(ends.slice(0, 2))(
  'a registration with a picture that ends after its caller is %s makes nobody',
  async (_, end) => {
    const admin = await newAdmin();
    const fields = registration({ userName: uniqueName() });
    const { type, halves } = await formInHalves(fields);
    const { answer, send, end: close } = open('/v1/users', { 'content-type': type, ...callAs(admin) });
    for (const half of halves) {
      send(half);
      if (half === halves[0]) await end(admin);
    }
    close();
    const { status, text } = await answer;
    expect([status, JSON.parse(text).code]).toEqual([401, 'invalid-token']);
    expect(await exists(fields['userName'])).toBe(false);
  },
);

test('an import has a total time, however long its client goes on sending', async () => {
  const { status, text } = await endless;
  expect([status, JSON.parse(text).detail]).toEqual([408, expect.stringContaining('IMPORT_MAX_SECONDS')]);
});
