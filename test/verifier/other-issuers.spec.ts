import { createHmac } from 'node:crypto';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { createVerifier, type Verifier, type VerifierOptions } from '#verifier';

import { judged } from '../support/judged.js';
import { audience, type IssuerKey, type OidcIssuer, startOidcIssuer } from '../support/oidc-issuer.js';
import { encode, joined, nowSeconds } from '../support/tokens.js';

let issuer: OidcIssuer;
let key: IssuerKey;
let verifier: Verifier;
const verifiers: Verifier[] = [];

beforeAll(async () => {
  issuer = await startOidcIssuer({ path: '/realms/shop' });
  key = await issuer.addKey('RS256');
  verifier = await start();
});
afterAll(async () => {
  for (const one of verifiers) await one.close();
  issuer.stop();
});

async function start(options: Partial<VerifierOptions> = {}): Promise<Verifier> {
  const one = createVerifier({ issuer: issuer.url, audience, ...options });
  verifiers.push(one);
  await one.ready();
  return one;
}

test('tokens of any issuer that publishes its keys are checked, with no feed', async () => {
  const { claims, isStale } = await verifier.verify(await issuer.sign(key, { email: 'ada@example.org' }));
  expect(claims).toMatchObject({ iss: issuer.url, sub: 'ada', email: 'ada@example.org' });
  expect(isStale).toBe(false);
  expect(verifier.view()).toEqual({ ageMs: undefined, entries: 0, epoch: undefined, keys: [key.kid] });
});

test.each(['ES256', 'ES384', 'ES512', 'EdDSA', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'])(
  '%s is a signature to accept',
  async (alg) => {
    const own = await startOidcIssuer();
    const signer = await own.addKey(alg);
    const one = createVerifier({ issuer: own.url, audience });
    expect(await judged(one, await own.sign(signer))).toBe('accepted');
    await one.close();
    own.stop();
  },
);

test('an algorithm that was not asked for is refused, although the issuer has a key for it', async () => {
  const strict = await start({ algorithms: ['ES256'] });
  expect(await judged(strict, await issuer.sign(key))).toBe('401 malformed');
});

test('the public key is no secret to sign with', async () => {
  const body = encode({ iss: issuer.url, sub: 'eve', aud: audience, exp: nowSeconds() + 600 });
  for (const secret of [JSON.stringify(key.jwk), String(key.jwk.n)]) {
    const input = joined(encode({ alg: 'HS256', kid: key.kid }), body);
    const token = joined(input, createHmac('sha256', secret).update(input).digest('base64url'));
    expect(await judged(verifier, token)).toBe('401 malformed');
  }
});

test('a token for several audiences is good for each of them', async () => {
  const aud = ['https://billing.example.org', audience];
  expect(await judged(verifier, await issuer.sign(key, { aud }))).toBe('accepted');
  expect(await judged(verifier, await issuer.sign(key, { aud: [aud[0]] }))).toBe('401 wrong-audience');
  expect(await judged(verifier, await issuer.sign(key, { aud: `${audience}/` }))).toBe('401 wrong-audience');
  expect(await judged(verifier, await issuer.sign(key, { aud: [] }))).toBe('401 wrong-audience');
});

test('the issuer is compared exactly', async () => {
  expect(await judged(verifier, await issuer.sign(key, { iss: `${issuer.url}/` }))).toBe('401 wrong-issuer');
});

test.each([
  ['exp', undefined],
  ['exp', 'tomorrow'],
  ['exp', 1e300],
  ['sub', undefined],
  ['nbf', null],
  ['roles', 'admin'],
  ['permissions', { orders: 'read' }],
  ['sid', 7],
])('a token whose %s is %j is malformed', async (name, value) => {
  expect(await judged(verifier, await issuer.sign(key, { [name]: value }))).toBe('401 malformed');
});

test.each([
  [undefined, 'accepted'],
  ['JWT', 'accepted'],
  ['at+jwt', 'accepted'],
  ['application/AT+JWT', 'accepted'],
  ['logout+jwt', '401 malformed'],
  ['dpop+jwt', '401 malformed'],
])('a token of the type %s: %s', async (typ, verdict) => {
  expect(await judged(verifier, await issuer.sign(key, {}, typ === undefined ? {} : { typ }))).toBe(verdict);
});

test('a token without kid is checked with the one key that fits', async () => {
  expect(await judged(verifier, await issuer.sign(key, {}, { kid: undefined }))).toBe('accepted');
  const second = await issuer.addKey('RS256');
  const fresh = await start();
  expect(await judged(fresh, await issuer.sign(second, {}, { kid: undefined }))).toBe('401 unknown-key');
  issuer.keys.pop();
});

test('permissions are those of `permissions` and of `scope`, in either form', async () => {
  const permissions = ['orders:read', 'orders:write'];
  const tokens = [{ permissions }, { scope: permissions.join(' ') }, { scope: permissions }];
  for (const claims of tokens) {
    expect(await judged(verifier, await issuer.sign(key, claims), { permissions })).toBe('accepted');
  }
  const one = await issuer.sign(key, { scope: 'orders:read orders:writer' });
  expect(await judged(verifier, one, { permissions })).toBe('403 missing-permission');
});

test('metadata of another issuer are not believed', async () => {
  const liar = await startOidcIssuer();
  liar.answer = (_, response) =>
    response.end(JSON.stringify({ issuer: issuer.url, jwks_uri: `${issuer.url}/keys`, keys: [] }));
  const one = await start({ issuer: liar.url, readyTimeoutMs: 300 });
  expect(one.view().keys).toEqual([]);
  liar.stop();
});

test('an issuer with metadata after RFC 8414 only, or with none and a given address', async () => {
  const own = await startOidcIssuer({ path: '/tenant' });
  const signer = await own.addKey();
  own.answer = ({ url }, response) => {
    if (url === '/tenant/keys') return response.end(JSON.stringify({ keys: own.keys }));
    if (url !== '/.well-known/oauth-authorization-server/tenant') return response.writeHead(404).end();
    return response.end(JSON.stringify({ issuer: own.url, jwks_uri: `${own.url}/keys` }));
  };
  const found = await start({ issuer: own.url });
  expect(await judged(found, await own.sign(signer))).toBe('accepted');
  const given = await start({ issuer: 'https://id.example.org', jwksUrl: `${own.url}/keys` });
  expect(await judged(given, await own.sign(signer, { iss: 'https://id.example.org' }))).toBe('accepted');
  own.stop();
});
