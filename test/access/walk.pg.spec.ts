import { generateKeyPair, SignJWT } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';

import { newPerson, type Person } from '../support/people.js';
import { useGatehouse } from '../support/use-gatehouse.js';

/** Open to everybody: a route that is not written here must ask for credentials. */
const publicRoutes = [
  'GET /.well-known/jwks.json',
  'GET /.well-known/oauth-authorization-server',
  'GET /.well-known/openid-configuration',
  'GET /health/live',
  'GET /health/ready',
  'GET /health/startup',
  'GET /v1/avatars/{hash}-{size}.webp',
  'POST /v1/auth/email-verification',
  'POST /v1/auth/email-verification/confirm',
  'POST /v1/auth/invitations/accept',
  'POST /v1/auth/login',
  'POST /v1/auth/password-reset',
  'POST /v1/auth/password-reset/confirm',
  'POST /v1/auth/login/second-factor',
  'POST /v1/auth/refresh',
];
/** Open to strangers, but credentials that are sent must be good. */
const optionalRoutes = [
  'DELETE /v1/messages/{token}',
  'GET /v1/messages/{token}',
  'POST /v1/messages/{token}/reveal',
  'POST /v1/users',
];
/** Closed to users that are no administrators. */
const adminRoutes = [
  'GET /v1/audit',
  'GET /v1/invitations',
  'GET /v1/roles',
  'GET /v1/services',
  'GET /v1/users',
  'POST /v1/auth/explain',
  'POST /v1/auth/revoke-all',
  'POST /v1/invitations',
  'POST /v1/roles',
  'POST /v1/services',
  'POST /v1/users/import',
];

/** What an operation needs so that nothing but the caller is wrong with the request. */
const bodies: Readonly<Record<string, object>> = {
  'POST /v1/auth/introspect': new URLSearchParams({ token: 'a' }),
  'POST /v1/auth/token': new URLSearchParams({ grant_type: 'client_credentials' }),
  'POST /v1/auth/revoke': new URLSearchParams({ token: 'a' }),
  'PATCH /v1/users/{id}': { firstName: 'Eve' },
  'PUT /v1/users/{id}/password': { currentPassword: 'seven green bottles', password: 'eight brown bottles' },
};

const gatehouse = useGatehouse({ own: true });
let victim: Person;
let stranger: Person;
let routes: readonly string[];

beforeAll(async () => {
  [victim, stranger] = [await newPerson(gatehouse), await newPerson(gatehouse)];
  const { paths } = (await gatehouse.api.get('/openapi.json')).body;
  routes = Object.entries<object>(paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
  );
});

const nobody = '0190a6d4-7f3a-7c8b-9d1e-2f3a4b5c6d7e';

/** Asks for what belongs to somebody; ids of nobody if nobody is given. */
async function ask(route: string, token: string | undefined, owner?: Person): Promise<{ status: number; body: any }> {
  const [method = '', template = ''] = route.split(' ');
  const ids: Readonly<Record<string, string>> = {
    '{id}': owner?.id ?? nobody,
    '{sessionId}': owner?.sessionId ?? nobody,
    '{userName}': owner?.userName ?? 'nobody',
  };
  const path = template.replaceAll(/\{\w+\}/g, (name) => ids[name] ?? nobody);
  return gatehouse.api.call(method, path, { token, body: bodies[route] });
}

const walk = async (chosen: readonly string[], token: string | undefined, owner?: Person) =>
  Promise.all(chosen.map(async (route) => `${route} ${(await ask(route, token, owner)).status}`));

test('without credentials every route is closed but for those written here', async () => {
  const answers = await Promise.all(routes.map(async (route) => ({ route, ...(await ask(route, undefined)) })));
  const open = answers.filter(({ status }) => status !== 401).map(({ route }) => route);
  expect(open.toSorted()).toEqual([...publicRoutes, ...optionalRoutes].toSorted());
});

const payloadOf = (token: string): object => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
const unsigned = (header: object): string =>
  `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${victim.token.split('.')[1]}.`;

/** The victim's token with some of it changed, signed by a key that is not ours. */
const forge = async (claims: object, header: object = {}): Promise<string> => {
  const { privateKey } = await generateKeyPair('ES256');
  const jwks = (await gatehouse.api.get('/.well-known/jwks.json')).body;
  const now = Math.floor(Date.now() / 1000);
  const times = { iat: now - 2_000, exp: now + 900 };
  return new SignJWT({ ...payloadOf(victim.token), ...times, ...claims })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: jwks.keys[0].kid, ...header })
    .sign(privateKey);
};

describe('with a token that is not good', () => {
  const [hour, ago] = [3_600, Math.floor(Date.now() / 1000) - 3_600];

  test.for<[string, () => string | Promise<string>]>([
    ['garbage', () => 'garbage'],
    ['three dots', () => '...'],
    ['a long one', () => 'a'.repeat(8_000)],
    ['one that has expired', () => forge({ iat: ago - hour, exp: ago })],
    ['one that another key has signed', () => forge({})],
    ['one that never ends', () => forge({ exp: Number.MAX_VALUE })],
    ['one with an unknown key', () => forge({}, { kid: nobody })],
    ['one with a key id that is no id', () => forge({}, { kid: '../../etc/passwd' })],
    ['one of another type', () => forge({}, { typ: 'JWT' })],
    ['one without a signature', () => victim.token.replace(/[^.]+$/, '')],
    ['one with a changed signature', () => victim.token.replace(/.{8}$/, 'AAAAAAAA')],
    ['one with algorithm none', () => unsigned({ alg: 'none', typ: 'at+jwt' })],
  ])('%s is refused', async ([, make]) => {
    const token = await make();
    for (const route of ['GET /v1/users/me', 'POST /v1/users']) {
      const { status, body } = await ask(route, token);
      expect([status, body.code], route).toEqual([401, 'invalid-token']);
    }
  });

  test('every route that reads tokens refuses it', async () => {
    const closed = routes.filter((route) => !publicRoutes.includes(route));
    expect(await walk(closed, await forge({}))).toEqual(closed.map((route) => `${route} 401`));
  });
});

describe("with a plain user's token", () => {
  test('what belongs to another user is closed, and nothing of it changes', async () => {
    const before = await gatehouse.api.get('/v1/users/me', { token: victim.token });
    for (const route of routes.filter((name) => name.includes('{'))) {
      expect([403, 404], route).toContain((await ask(route, stranger.token, victim)).status);
    }
    const after = await gatehouse.api.get('/v1/users/me', { token: victim.token });
    expect([after.text, after.headers.get('etag')]).toEqual([before.text, before.headers.get('etag')]);
  });

  test('the answer is the same whether there is such a user or not', async () => {
    for (const route of routes.filter((name) => name.includes('{'))) {
      const [known, unknown] = [await ask(route, stranger.token, victim), await ask(route, stranger.token)];
      const { instance, requestId } = unknown.body;
      expect({ ...known.body, instance, requestId }, route).toEqual(unknown.body);
    }
  });

  test('what only administrators may do is forbidden', async () => {
    expect(await walk(adminRoutes, stranger.token)).toEqual(adminRoutes.map((route) => `${route} 403`));
  });
});
