import { SqlEntityManager } from '@mikro-orm/sql';
import { hash } from '@node-rs/argon2';
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';

import type { Answer } from '../support/api.js';
import { newPerson, type Person, registration, signIn, signInAdmin } from '../support/people.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse({ environment: { AUDIENCE: 'everything', ACCESS_TOKEN_TTL_SECONDS: '600' } });
let person: Person;

beforeAll(async () => {
  person = await newPerson(gatehouse, { userName: 'Ada', email: 'Ada@Example.org' });
});

const login = (body: unknown): Promise<Answer> => gatehouse.api.post('/v1/auth/login', { body });
const sql = (statement: string, values: unknown[]): Promise<any[]> =>
  gatehouse.app.get(SqlEntityManager).fork().execute(statement, values);

/** What a stranger can tell one answer from another by. */
const bare = ({ status, headers, text, body }: Answer): unknown[] => [
  status,
  headers.get('www-authenticate'),
  text.replace(body.requestId, ''),
];
const claims = (token: string): any => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());

test.for([
  'Ada',
  'ADA',
  'ada',
  '\uff21\uff44\uff41',
  'ada@example.org',
  'ADA@EXAMPLE.ORG',
  ' ada@example.org ',
  // as the keyboards of telephones leave it
  'ada ',
  ' ada',
  '\u00a0Ada\u00a0',
  'ada\n',
  '\tada@example.org\u00a0',
])('Ada signs in as "%s"', async (userName) => {
  const { status, body } = await login({ userName, password: person.password });
  expect(status).toBe(200);
  expect(body).toMatchObject({ tokenType: 'Bearer', expiresIn: 600 });
});

test('a password is the same however its characters are composed and its spaces typed', async () => {
  const { userName } = await newPerson(gatehouse, { password: 'cafe\u0301 au lait' });
  expect((await login({ userName, password: 'caf\u00e9\u00a0au lait' })).status).toBe(200);
});

test('a blank around a password is a part of it', async () => {
  const { userName, password } = person;
  expect((await login({ userName, password: `${password} ` })).status).toBe(401);
});

test.for(['ivan@\u043f\u0440\u0438\u043c\u0435\u0440.\u0440\u0444', 'IVAN@XN--E1AFMKFD.XN--P1AI'])(
  'an address signs in in either form of its domain: %s',
  async (userName) => {
    const email = 'ivan@xn--e1afmkfd.xn--p1ai';
    const { password } = registration();
    await gatehouse.api.post('/v1/users', { body: registration({ email }) });
    expect((await login({ userName, password })).status).toBe(200);
  },
);

test('every reason to refuse has the same answer', async () => {
  const idle = registration();
  const { id } = (await gatehouse.api.post('/v1/users', { body: idle })).body;
  const { token } = await signInAdmin(gatehouse);
  await gatehouse.api.patch(`/v1/users/${id}`, { token, body: { status: 'deactivated' } });
  const attempts = [
    { userName: 'Ada', password: 'wrong' },
    { userName: 'Ada', password: person.password.toUpperCase() },
    { userName: 'nobody', password: person.password },
    { userName: 'nobody@example.org', password: person.password },
    { userName: 'no such name', password: person.password },
    { userName: idle['userName'], password: idle['password'] },
  ];
  const answers = await Promise.all(attempts.map(login));
  expect(answers[0]?.body.code).toBe('invalid-credentials');
  expect(new Set(answers.map((answer) => JSON.stringify(bare(answer)))).size).toBe(1);
});

test.for([
  ['password', ''],
  ['password', 'a'.repeat(1_025)],
  ['password', null],
  ['userName', ''],
  ['userName', 'a'.repeat(257)],
  ['userName', { $ne: null }],
] as const)('a %s of %o is refused before anything is hashed', async ([field, value]) => {
  const { status, body } = await login({ userName: 'Ada', password: person.password, [field]: value });
  expect([status, body.code, body.errors[0].path]).toEqual([400, 'invalid-request', field]);
});

const hashOf = async (): Promise<string> =>
  (await sql('select password_hash from users where id = ?', [person.id]))[0].password_hash;

describe('a hash that was made with other parameters', () => {
  const cheap = { memoryCost: 8_192, timeCost: 1, parallelism: 1 };
  test('is renewed at login, and only then', async () => {
    const old = await hash(person.password, cheap);
    await sql('update users set password_hash = ? where id = ?', [old, person.id]);
    expect((await login({ userName: 'Ada', password: 'wrong' })).status).toBe(401);
    expect(await hashOf()).toBe(old);
    await signIn(gatehouse, person);
    const renewed = await hashOf();
    expect(renewed).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    await signIn(gatehouse, person);
    expect(await hashOf()).toBe(renewed);
  });
});

describe('the access token', () => {
  test('is what RFC 9068 says, and verifies by the published keys', async () => {
    const { body: jwks, headers } = await gatehouse.api.get('/.well-known/jwks.json');
    expect(headers.get('cache-control')).toBe('public, max-age=300');
    const { payload, protectedHeader } = await jwtVerify(person.token, createLocalJWKSet(jwks), {
      typ: 'at+jwt',
      issuer: 'http://gatehouse.test',
      audience: 'everything',
      algorithms: ['ES256'],
      requiredClaims: ['iss', 'sub', 'aud', 'exp', 'iat', 'jti', 'sid', 'client_id'],
    });
    expect(protectedHeader).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: jwks.keys[0].kid });
    expect(payload).toMatchObject({ sub: person.id, sid: person.sessionId, client_id: 'gatehouse', roles: ['user'] });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(600);
    expect(Math.abs((payload.iat ?? 0) - Date.now() / 1000)).toBeLessThan(60);
  });

  test('has an id of its own, and the session another, at each login', async () => {
    const again = await signIn(gatehouse, person);
    expect(claims(again.token).jti).not.toBe(claims(person.token).jti);
    expect(again.sessionId).not.toBe(person.sessionId);
    expect(decodeProtectedHeader(again.token)).toEqual(decodeProtectedHeader(person.token));
  });

  test('shows no key but the public half', async () => {
    const { keys } = (await gatehouse.api.get('/.well-known/jwks.json')).body;
    expect(keys).toHaveLength(1);
    expect(keys[0]).toEqual({
      kty: 'EC',
      crv: 'P-256',
      use: 'sig',
      alg: 'ES256',
      kid: expect.any(String),
      x: expect.any(String),
      y: expect.any(String),
    });
  });
});
