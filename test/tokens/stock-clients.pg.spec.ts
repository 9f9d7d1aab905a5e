import { generateKeyPairSync } from 'node:crypto';

import * as oauth from 'oauth4webapi';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { freePort } from '../support/free-port.js';
import { isAccepted, newPerson, type Person, signInAdmin } from '../support/people.js';
import { newService, type Service } from '../support/services.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';
import { encode, type Good, nowSeconds, signed, takeApart, withClaims } from '../support/tokens.js';
import { startVerifiers, type Verifier } from '../support/verifiers.js';

const verifierNames = ['jose', 'fast-jwt', 'jsonwebtoken and jwks-rsa', 'express-oauth2-jwt-bearer'];
// marked as deprecated to stand out: it is for http, as here
// oxlint-disable-next-line typescript/no-deprecated
const insecure = { [oauth.allowInsecureRequests]: true };

let gatehouse: Gatehouse;
let person: Person;
let good: Good;
let gateway: Service;
let verifiers: readonly Verifier[];
let stopVerifiers: () => void;

beforeAll(async () => {
  const port = await freePort();
  gatehouse = await startGatehouse({ PORT: String(port), PUBLIC_URL: `http://127.0.0.1:${port}` });
  const { token } = await signInAdmin(gatehouse);
  gateway = await newService(gatehouse, { token, scopes: ['tokens:introspect', 'tokens:revoke'] });
  person = await newPerson(gatehouse);
  good = takeApart(gatehouse, person.token);
  ({ verifiers, stop: stopVerifiers } = await startVerifiers(gatehouse.url));
});
afterAll(async () => {
  stopVerifiers();
  await gatehouse.stop();
});

describe.each(verifierNames)('%s', (name) => {
  const verify = (token: string): Promise<unknown> | undefined =>
    verifiers.find((verifier) => verifier.name === name)?.verify(token);

  test('takes a good token', async () => {
    expect(await verify(person.token)).toBe(person.id);
  });

  const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const bad: [string, () => string, RegExp][] = [
    ['an expired token', () => withClaims(good, { exp: nowSeconds() - 60 }), /exp/],
    ['a token signed by a stranger', () => signed(good.header, good.claims, stranger), /signature|key/i],
    [
      'a token whose payload was changed',
      () => `${good.head}.${encode({ ...good.claims, roles: ['admin'] })}.${good.signature}`,
      /signature|key/i,
    ],
    ['a token for another audience', () => withClaims(good, { aud: 'https://elsewhere.test' }), /aud/],
  ];
  test.each(bad)('refuses %s', async (_, make, message) => {
    await expect(verify(make())).rejects.toThrow(message);
  });
});

describe.each(['oauth2', 'oidc'] as const)('oauth4webapi with %s discovery', (algorithm) => {
  const discover = async (): Promise<oauth.AuthorizationServer> => {
    const issuer = new URL(gatehouse.url);
    return oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm, ...insecure }));
  };
  const ways = [
    ['client_secret_basic', oauth.ClientSecretBasic],
    ['client_secret_post', oauth.ClientSecretPost],
  ] as const;

  test.each(ways)('discovers, introspects and revokes by %s', async (method, authenticate) => {
    const server = await discover();
    expect(server).toMatchObject({ issuer: gatehouse.url, jwks_uri: `${gatehouse.url}/.well-known/jwks.json` });
    expect(server.introspection_endpoint_auth_methods_supported).toContain(method);
    const client = { client_id: gateway.name };
    const proof = authenticate(gateway.secret);
    const body = { refreshToken: person.refreshToken };
    const { accessToken, refreshToken } = (await gatehouse.api.post('/v1/auth/refresh', { body })).body;
    person = { ...person, refreshToken };
    const introspect = async (): Promise<oauth.IntrospectionResponse> => {
      const answer = await oauth.introspectionRequest(server, client, proof, accessToken, insecure);
      return oauth.processIntrospectionResponse(server, client, answer);
    };
    expect(await introspect()).toMatchObject({ active: true, sub: person.id, token_type: 'Bearer' });
    const revoked = await oauth.revocationRequest(server, client, proof, accessToken, insecure);
    expect(await oauth.processRevocationResponse(revoked)).toBeUndefined();
    expect(await introspect()).toEqual({ active: false });
    expect(await isAccepted(gatehouse, accessToken)).toBe(false);
  });

  test('understands why it is refused', async () => {
    const server = await discover();
    const client = { client_id: gateway.name };
    const proof = oauth.ClientSecretBasic('not the secret');
    const answer = await oauth.introspectionRequest(server, client, proof, person.token, insecure);
    const refusal = oauth.processIntrospectionResponse(server, client, answer);
    await expect(refusal).rejects.toMatchObject({ status: 401, cause: [{ scheme: 'basic' }] });
  });
});
