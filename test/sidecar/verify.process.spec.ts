import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';

import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

import { freePort } from '../support/free-port.js';
import { newPerson, type Person, signIn, signInAdmin, uniqueName } from '../support/people.js';
import { askToken, newService, patchService, type Service } from '../support/services.js';
import { type SidecarProcess, startSidecar } from '../support/sidecar.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse({ own: true });
const audience = 'https://orders.example.org';
const patience = { timeout: 20_000, interval: 20 };
const identity = ['x-user-id', 'x-user-name', 'x-roles', 'x-permissions', 'x-client-id'];

let bossToken: string;
let role: string;
let service: Service;
let caller: Service;
let person: Person;
let sidecar: SidecarProcess;

beforeAll(async () => {
  bossToken = (await signInAdmin(gatehouse)).token;
  const scopes = ['revocations:read', 'tokens:introspect'];
  service = await newService(gatehouse, { token: bossToken, scopes, audience });
  caller = await newService(gatehouse, { token: bossToken, scopes: [] });
  const grants = [{ audience, permissions: ['orders:write', 'orders:read'] }];
  await patchService(gatehouse, { token: bossToken, name: caller.name, grants });
  role = uniqueName('role');
  await makeRole();
  person = await personWithRole();
  sidecar = await startSidecar(settings());
  await untilReady(sidecar);
});
afterAll(async () => {
  sidecar?.kill('SIGKILL');
  await sidecar?.ended;
});

const settings = (more: Record<string, string> = {}): Record<string, string> => ({
  GATEHOUSE_URL: gatehouse.url,
  ISSUER: 'http://gatehouse.test',
  AUDIENCE: audience,
  SERVICE_KEY: service.headers['x-service-key'],
  ...more,
});

async function makeRole(): Promise<void> {
  const body = { name: role, permissions: ['orders:read'] };
  const made = await gatehouse.api.post('/v1/roles', { token: bossToken, body });
  expect(made.status, made.text).toBe(201);
}

const readiness = async ({ url }: SidecarProcess): Promise<number> => (await fetch(`${url}/health/ready`)).status;
const untilReady = (of: SidecarProcess): Promise<void> =>
  vi.waitFor(async () => expect(await readiness(of)).toBe(200), patience);

async function personWithRole(): Promise<Person> {
  const somebody = await newPerson(gatehouse);
  const body = { roles: ['user', role] };
  expect((await gatehouse.api.patch(`/v1/users/${somebody.id}`, { token: bossToken, body })).status).toBe(200);
  return { ...somebody, ...(await signIn(gatehouse, { ...somebody, audience })) };
}

async function verify(
  authorization: string | undefined,
  path = '/verify',
  { url = sidecar.url, method = 'GET' }: { url?: string; method?: string } = {},
): Promise<Response> {
  return fetch(url + path, { method, headers: authorization === undefined ? {} : { authorization } });
}
const bearer = (token: string): string => `Bearer ${token}`;
const identityOf = ({ headers }: Response): (string | null)[] => identity.map((name) => headers.get(name));

describe('a token that is good', () => {
  test.each(['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS'])(
    'is accepted whatever the method is: %s',
    async (method) => {
      const answer = await verify(bearer(person.token), '/verify', { method });
      expect([answer.status, answer.headers.get('cache-control'), await answer.text()]).toEqual([200, 'no-store', '']);
      expect(identityOf(answer)).toEqual([person.id, '', `user ${role}`, 'orders:read', 'gatehouse']);
    },
  );

  test('of a service names the service, and nobody else: each other header is empty', async () => {
    const { body } = await askToken(gatehouse, caller.headers, { resource: audience });
    const answer = await verify(bearer(body.access_token));
    expect([answer.status, ...identityOf(answer)]).toEqual([200, '', '', '', 'orders:read orders:write', caller.name]);
  });

  test('is accepted under the path that Envoy puts behind ours, whose query has no say', async () => {
    expect((await verify(bearer(person.token), '/verify/orders?permissions=orders:write')).status).toBe(200);
  });
});

describe('what is refused', () => {
  test.each([
    ['no token', undefined, 401, 'missing-token', 'Bearer'],
    ['another scheme', 'Basic YTpi', 401, 'missing-token', 'Bearer'],
    ['what is no token', 'Bearer x.y.z', 401, 'malformed', 'Bearer error="invalid_token"'],
    ['a NUL-like text', `Bearer ${'%00'.repeat(40)}`, 401, 'malformed', 'Bearer error="invalid_token"'],
  ])('%s', async (_, authorization, status, code, challenge) => {
    const answer = await verify(authorization);
    const body: any = await answer.json();
    expect([answer.status, body.code, answer.headers.get('content-type')]).toEqual([
      status,
      code,
      'application/problem+json',
    ]);
    expect(answer.headers.get('www-authenticate')).toContain(challenge);
    expect(identityOf(answer)).toEqual(identity.map(() => null));
  });

  test('a token in the query or in a cookie is none', async () => {
    const headers = { cookie: `access_token=${person.token}` };
    const answer = await fetch(`${sidecar.url}/verify?access_token=${person.token}`, { headers });
    expect([answer.status, ((await answer.json()) as any).code]).toEqual([401, 'missing-token']);
  });

  test('a token for Gatehouse itself is for another service', async () => {
    const answer = await verify(bearer(bossToken));
    expect([answer.status, ((await answer.json()) as any).code]).toEqual([401, 'wrong-audience']);
  });

  test('two headers Authorization, of which one is good', async () => {
    const sent = request(`${sidecar.url}/verify`, {
      headers: ['Host', 'a', 'Authorization', bearer(person.token), 'Authorization', 'Bearer x'],
    });
    sent.end();
    const [answer] = await once(sent, 'response');
    answer.resume();
    expect(answer.statusCode).toBe(401);
  });

  test('a permission that is missing is named, as 403', async () => {
    const answer = await verify(bearer(person.token), '/verify?permissions=orders:read+orders:write');
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([
      403,
      expect.stringContaining('error="insufficient_scope"'),
    ]);
    expect(answer.headers.get('www-authenticate')).toContain('scope="orders:read orders:write"');
  });

  test('what the gateway asks for and is no permission opens nothing', async () => {
    expect((await verify(bearer(person.token), '/verify?permissions=%22')).status).toBe(500);
  });

  test('another path', async () => {
    expect((await verify(bearer(person.token), '/verif')).status).toBe(404);
  });
});

test('a token dies with its session, and others live on', async () => {
  const [dying, living] = [await personWithRole(), await personWithRole()];
  expect((await verify(bearer(dying.token))).status).toBe(200);
  const ended = await gatehouse.api.delete(`/v1/auth/sessions/${dying.sessionId}?userId=${dying.id}`, {
    token: bossToken,
  });
  expect(ended.status, ended.text).toBe(204);
  await expect.poll(async () => (await verify(bearer(dying.token))).status, patience).toBe(401);
  expect((await verify(bearer(living.token))).status).toBe(200);
});

test('a client that hangs up, and one that sends garbage, disturb nobody', async () => {
  const { port } = new URL(sidecar.url);
  for (const bytes of [
    'GET /verify HTTP/1.1\r\nHost: a\r\n',
    '\0\0\0\0\r\n\r\n',
    `GET /${'a'.repeat(40_000)} HTTP/1.1\r\n\r\n`,
  ]) {
    const socket = connect(Number(port), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.resume().end(bytes);
    await once(socket, 'close');
  }
  expect((await verify(bearer(person.token))).status).toBe(200);
});

test('metrics count verdicts, and hold no token', async () => {
  await verify(undefined);
  const text = await (await fetch(`${sidecar.url}/metrics`)).text();
  expect(text).toMatch(/^gatehouse_sidecar_verdicts_total\{verdict="accepted"\} \d+$/m);
  expect(text).toMatch(/^gatehouse_sidecar_verdicts_total\{verdict="missing-token"\} \d+$/m);
  expect(text).toMatch(/^gatehouse_sidecar_knowledge_age_seconds \d/m);
  expect(text + JSON.stringify(sidecar.log)).not.toContain(person.token.slice(-40));
});

describe('without Gatehouse', () => {
  test.each([
    ['introspect', 503, 503],
    ['refuse', 503, 503],
    ['allow', 503, 503],
  ])('at the start, nothing is accepted with STALENESS=%s, and it goes on trying', async (policy, status, ready) => {
    const away = await startSidecar(
      settings({ GATEHOUSE_URL: `http://127.0.0.1:${await freePort()}`, STALENESS: policy }),
    );
    try {
      const answer = await verify(bearer(person.token), '/verify', away);
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([status, '1']);
      expect(await readiness(away)).toBe(ready);
      expect((await fetch(`${away.url}/health/live`)).status).toBe(200);
    } finally {
      away.kill('SIGKILL');
      await away.ended;
    }
  });
});

test('SIGTERM makes it not ready, lets requests end, and ends it with 0', async () => {
  const other = await startSidecar(settings());
  await untilReady(other);
  other.kill('SIGTERM');
  await expect.poll(() => readiness(other), patience).toBe(503);
  const answer = await verify(bearer(person.token), '/verify', other);
  expect([answer.status, answer.headers.get('connection')]).toEqual([200, 'close']);
  expect(await other.ended).toEqual({ code: 0, errors: '' });
});

test.each([
  ['no address of Gatehouse', { GATEHOUSE_URL: '' }, 'GATEHOUSE_URL is required'],
  ['no key', { SERVICE_KEY: '' }, 'SERVICE_KEY or SERVICE_KEY_FILE is required'],
  ['a file that is not there', { SERVICE_KEY: '', SERVICE_KEY_FILE: '/nowhere' }, 'SERVICE_KEY_FILE cannot be read'],
  ['another policy', { STALENESS: 'ignore' }, 'STALENESS must be introspect, refuse, allow'],
  ['a time that is none', { STALENESS_MS: '2s' }, 'STALENESS_MS must be a whole number from 100 to 3600000'],
  ['what is no permission', { PERMISSIONS: 'a"b' }, 'PERMISSIONS must be names such as orders:read'],
])('it does not start with %s, and says why without the value', async (_, wrong, reason) => {
  const { code, errors } = await (await startSidecar(settings(wrong))).ended;
  expect([code, errors]).toEqual([1, expect.stringContaining(reason)]);
  expect(errors).not.toContain(service.secret);
});
