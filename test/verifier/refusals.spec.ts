import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { createVerifier, type Verifier, VerifyError, verifyErrorCodes } from '#verifier';

import { judged, refusalOf } from '../support/judged.js';
import { issuer, ownVerifier } from '../support/own-verifier.js';
import { newPerson, signInAdmin } from '../support/people.js';
import { newHolder, newRole } from '../support/roles.js';
import { newService, tokenOf } from '../support/services.js';
import { nowSeconds, takeApart, withClaims } from '../support/tokens.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse();
let verifier: Verifier;
beforeAll(async () => {
  verifier = await ownVerifier(gatehouse);
});
afterAll(() => verifier.close());

describe('permissions', () => {
  test('of a person are those of the roles, all that are asked for', async () => {
    const role = await newRole(gatehouse, { permissions: ['orders:read', 'orders:write'] });
    const { token } = await newHolder(gatehouse, role);
    expect(await judged(verifier, token, { permissions: ['orders:read', 'orders:write'] })).toBe('accepted');
    expect(await judged(verifier, token, { permissions: ['orders:read', 'orders:delete'] })).toBe(
      '403 missing-permission',
    );
  });

  test('of a service are its scopes', async () => {
    const { token } = await signInAdmin(gatehouse);
    const service = await newService(gatehouse, { token, scopes: ['users:read'] });
    const own = await tokenOf(gatehouse, service);
    expect(await judged(verifier, own, { permissions: ['users:read'] })).toBe('accepted');
    expect(await judged(verifier, own, { permissions: ['users:write'] })).toBe('403 missing-permission');
  });

  test('the challenge names the scope that is needed', async () => {
    const { token } = await newPerson(gatehouse);
    const { status, wwwAuthenticate } = await refusalOf(verifier, token, { permissions: ['orders:read', 'orders:x'] });
    expect([status, wwwAuthenticate]).toEqual([
      403,
      'Bearer error="insufficient_scope", error_description="The access token lacks a permission that is needed here.", scope="orders:read orders:x"',
    ]);
  });
});

describe('the age of the authentication (RFC 9470)', () => {
  test('a password that was given too long ago, or never, is asked for again', async () => {
    const good = takeApart(gatehouse, (await newPerson(gatehouse)).token);
    const options = { maxAuthAgeSeconds: 300 };
    expect(await judged(verifier, good.token, options)).toBe('accepted');
    const old = withClaims(good, { auth_time: nowSeconds() - 310 });
    expect(await judged(verifier, old)).toBe('accepted');
    for (const token of [old, withClaims(good, { auth_time: undefined })]) {
      const { status, code, wwwAuthenticate } = await refusalOf(verifier, token, options);
      expect([status, code]).toEqual([401, 'authentication-too-old']);
      expect(wwwAuthenticate).toMatch(/^Bearer error="insufficient_user_authentication", .*, max_age="300"$/);
    }
  });

  test('a service has none', async () => {
    const { token } = await signInAdmin(gatehouse);
    const service = await newService(gatehouse, { token, scopes: ['users:read'] });
    const own = await tokenOf(gatehouse, service);
    expect(await judged(verifier, own, { maxAuthAgeSeconds: 0 })).toBe('401 authentication-too-old');
  });
});

describe('the header', () => {
  test.each([undefined, '', 'Basic YTpi', 'Bearer', 'Bearer ', 'Bearer\u00a0abc', 'Token abc'])(
    '%j has no token: a challenge without an error',
    async (header) => {
      const error: unknown = await verifier.verifyAuthorization(header).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(VerifyError);
      expect(error).toMatchObject({ code: 'missing-token', status: 401, wwwAuthenticate: 'Bearer' });
    },
  );

  test('the scheme has no case', async () => {
    const { token } = await newPerson(gatehouse);
    for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
      expect(await verifier.verifyAuthorization(`${scheme} ${token}`)).toMatchObject({ isStale: false });
    }
  });
});

test('a refusal says where the metadata of the protected resource are (RFC 9728)', async () => {
  const resource = 'https://orders.example.org/v1';
  const named = createVerifier({
    issuer,
    audience: issuer,
    url: gatehouse.url,
    protectedResource: { resource, permissions: ['orders:read'], name: 'Orders' },
  });
  const url = 'https://orders.example.org/.well-known/oauth-protected-resource/v1';
  expect(named.protectedResource).toEqual({
    url,
    document: {
      resource,
      authorization_servers: [issuer],
      bearer_methods_supported: ['header'],
      scopes_supported: ['orders:read'],
      resource_name: 'Orders',
    },
  });
  const { token } = await newPerson(gatehouse);
  const refusals = [
    await refusalOf(named, 'no token'),
    await refusalOf(named, `${token.slice(0, -8)}AAAAAAAA`),
    await refusalOf(named, token, { permissions: ['orders:read'] }),
  ];
  for (const { wwwAuthenticate } of refusals) expect(wwwAuthenticate).toContain(`resource_metadata="${url}"`);
  await named.close();
});

test('what was given cannot be changed for the next request', async () => {
  const { token } = await newPerson(gatehouse);
  const { claims } = await verifier.verify(token);
  expect(() => Object.assign(claims, { sub: 'admin' })).toThrow(TypeError);
  expect(() => (claims.roles as string[]).push('admin')).toThrow(TypeError);
  expect((await verifier.verify(token)).claims.roles).toEqual(['user']);
});

test('descriptions of refusals fit into a header and reveal nothing of the token', () => {
  for (const { description, status } of Object.values(verifyErrorCodes)) {
    expect(description).toMatch(/^[ !#-[\]-~]+$/);
    expect([401, 403, 503]).toContain(status);
  }
});
