import { SqlEntityManager } from '@mikro-orm/sql';
import { beforeAll, describe, expect, test } from 'vitest';

import { ask } from '../support/graphql.js';
import { admin, newPerson, signInAdmin } from '../support/people.js';
import { challengeOf, complete } from '../support/second-factor-logins.js';
import { addTotp, codeOf } from '../support/second-factors.js';
import { newService } from '../support/services.js';
import { useGatehouse } from '../support/use-gatehouse.js';

/** What somebody may call who holds such a role and has given no second factor. */
const open = [
  'GET /v1/auth/second-factor',
  // to an address, whoever asks
  'POST /v1/auth/email-verification',
  'POST /v1/auth/logout',
  'POST /v1/auth/reauthenticate',
  'POST /v1/auth/second-factor/totp',
  'POST /v1/auth/second-factor/totp/confirm',
];
const nobody = '0190a6d4-7f3a-7c8b-9d1e-2f3a4b5c6d7e';

const gatehouse = useGatehouse({ environment: { SECOND_FACTOR_ROLES: 'admin,clerk' } });
let boss: { readonly token: string; readonly refreshToken: string };
let routes: readonly (readonly [route: string, security: readonly object[], isMarked: boolean])[];

beforeAll(async () => {
  boss = await signInAdmin(gatehouse);
  const { paths } = (await gatehouse.api.get('/openapi.json')).body;
  routes = Object.entries<Record<string, any>>(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => {
      const isMarked = operation.responses['403']?.description.includes('`second-factor-required`');
      return [`${method.toUpperCase()} ${path}`, operation.security, isMarked] as const;
    }),
  );
});

const forUsers = () => routes.filter(([, security]) => security.some((ways) => 'accessToken' in ways));

const call = (route: string, token: string) => {
  const [method = '', path = ''] = route.split(' ');
  return gatehouse.api.call(method, path.replaceAll(/\{\w+\}/g, nobody), { token });
};

describe('an administrator without a second factor', () => {
  test('is refused by every operation that takes a token of people, but for a few', async () => {
    expect(forUsers().length).toBeGreaterThan(30);
    const admitted: string[] = ['POST /v1/auth/logout'];
    for (const [route] of forUsers().filter(([name]) => !admitted.includes(name))) {
      const { status, body } = await call(route, boss.token);
      if (body?.code !== 'second-factor-required') admitted.push(route);
      else expect(status, route).toBe(403);
    }
    expect(admitted.toSorted()).toEqual(open);
  });

  test('finds in the document which they are', () => {
    const unmarked = forUsers().filter(([, , isMarked]) => !isMarked);
    expect(unmarked.map(([route]) => route).toSorted()).toEqual(open);
  });

  test('is told what to do', async () => {
    const { status, body, headers } = await call('GET /v1/users/me', boss.token);
    expect([status, body.status, body.challenge]).toEqual([403, 403, undefined]);
    expect(body.detail).toContain('POST /v1/auth/second-factor/totp');
    expect(headers.get('www-authenticate')).toContain('acr_values="urn:gatehouse:2fa"');
  });

  test('is refused by the fields of GraphQL too, but for the same few', async () => {
    const { errors } = await ask(gatehouse, '{ me { id } sessions { id } }', boss);
    expect(errors.map(({ extensions }: any) => extensions.code)).toEqual(Array(2).fill('second-factor-required'));
    const { data } = await ask(gatehouse, '{ secondFactor { recoveryCodesLeft } }', boss);
    expect(data.secondFactor.recoveryCodesLeft).toBe(0);
    const allowed = [
      'startTotp { secret }',
      'confirmTotp(code: "wrong") { recoveryCodes }',
      'reauthenticate(password: "wrong") { accessToken }',
    ];
    for (const field of allowed) {
      expect((await ask(gatehouse, `mutation { ${field} }`, boss)).code, field).not.toBe('second-factor-required');
    }
    for (const field of ['removeTotp(code: "wrong")', 'renewRecoveryCodes { recoveryCodes }']) {
      expect((await ask(gatehouse, `mutation { ${field} }`, boss)).code, field).toBe('second-factor-required');
    }
  });

  test('is refused beside the key of a service', async () => {
    const plain = await newPerson(gatehouse);
    await gatehouse.app
      .get(SqlEntityManager)
      .fork()
      .execute(`update users set roles = '{user,clerk}' where id = ?`, [plain.id]);
    const { body } = await gatehouse.api.post('/v1/auth/refresh', { body: { refreshToken: plain.refreshToken } });
    expect((await call('GET /v1/users/me', body.accessToken)).body.code).toBe('second-factor-required');
  });
});

test('nobody else is asked for one: neither people of other roles nor services', async () => {
  const plain = await newPerson(gatehouse);
  expect((await call('GET /v1/users/me', plain.token)).status).toBe(200);
});

test('with a second factor an administrator may do what administrators may', async () => {
  const { secret, recoveryCodes } = await addTotp(gatehouse, boss);
  expect((await call('GET /v1/users', boss.token)).status).toBe(403);
  const refreshed = await gatehouse.api.post('/v1/auth/refresh', { body: { refreshToken: boss.refreshToken } });
  expect((await call('GET /v1/users', refreshed.body.accessToken)).status).toBe(200);
  const again = { token: boss.token, body: { code: recoveryCodes[0] } };
  const stepped = await gatehouse.api.post('/v1/auth/reauthenticate', again);
  expect((await call('GET /v1/users', stepped.body.accessToken)).status).toBe(200);
  const { body } = await complete(gatehouse, await challengeOf(gatehouse, admin), codeOf(secret));
  const { headers } = await newService(gatehouse, { token: body.accessToken, scopes: ['users:read'] });
  expect((await gatehouse.api.get('/v1/users', { headers })).status).toBe(200);
  const asUser = await gatehouse.api.get('/v1/users', { headers, token: boss.token });
  expect(asUser.body.code).toBe('second-factor-required');
});
