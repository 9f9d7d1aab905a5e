import { generateKeyPairSync, randomUUID } from 'node:crypto';

import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { createVerifier, type Verifier, type VerifierOptions } from '#verifier';

import { judged } from '../support/judged.js';
import { audience, type IssuerKey, type OidcIssuer, startOidcIssuer } from '../support/oidc-issuer.js';

let issuer: OidcIssuer;
let key: IssuerKey;
const verifiers: Verifier[] = [];

beforeEach(async () => {
  issuer = await startOidcIssuer();
  key = await issuer.addKey();
});
afterEach(async () => {
  for (const verifier of verifiers.splice(0)) await verifier.close();
  issuer.stop();
});

async function start(options: Partial<VerifierOptions> = {}): Promise<Verifier> {
  const verifier = createVerifier({ issuer: issuer.url, audience, ...options });
  verifiers.push(verifier);
  await verifier.ready();
  return verifier;
}
const timesRead = (): number => issuer.requests.get('/keys') ?? 0;

test('a key that is new is found at once, and the keys are read just once more', async () => {
  const verifier = await start();
  const newer = await issuer.addKey('ES256');
  const tokens = await Promise.all(Array.from({ length: 50 }, (_, index) => issuer.sign(newer, { jti: `${index}` })));
  expect(new Set(await Promise.all(tokens.map((token) => judged(verifier, token))))).toEqual(new Set(['accepted']));
  expect(timesRead()).toBe(2);
  expect(verifier.view().keys).toEqual([key.kid, newer.kid]);
});

test('made-up key ids cost the issuer three requests, then one in each cool-down', async () => {
  const verifier = await start({ keyCooldownMs: 60_000 });
  for (let index = 0; index < 100; index++) {
    expect(await judged(verifier, await issuer.sign(key, {}, { kid: randomUUID() }))).toBe('401 unknown-key');
  }
  expect(timesRead()).toBe(4);
});

test('two keys that follow each other, after a made-up one, are found at once', async () => {
  const verifier = await start({ keyCooldownMs: 60_000 });
  expect(await judged(verifier, await issuer.sign(key, {}, { kid: randomUUID() }))).toBe('401 unknown-key');
  for (const newer of [await issuer.addKey(), await issuer.addKey()]) {
    expect(await judged(verifier, await issuer.sign(newer))).toBe('accepted');
  }
});

test('after the cool-down the issuer is asked again', async () => {
  const verifier = await start({ keyCooldownMs: 100 });
  for (const kid of ['a', 'b', 'c']) {
    expect(await judged(verifier, await issuer.sign(key, {}, { kid }))).toBe('401 unknown-key');
  }
  const token = await issuer.sign(await issuer.addKey());
  await vi.waitFor(async () => expect(await judged(verifier, token)).toBe('accepted'), { timeout: 20_000 });
});

test('while the issuer cannot be asked, the keys that are known stay good', async () => {
  const verifier = await start();
  issuer.answer = (_, response) => response.writeHead(500).end();
  expect(await judged(verifier, await issuer.sign(key, {}, { kid: 'new' }))).toBe('503 keys-unavailable');
  expect(await judged(verifier, await issuer.sign(key))).toBe('accepted');
});

test.each<[string, NonNullable<OidcIssuer['answer']>]>([
  ['no JSON', (_, response) => response.writeHead(200).end('<html>')],
  ['no JWK set', (_, response) => response.writeHead(200).end('{"keys":{}}')],
  [
    'a redirect to other keys',
    ({ url }, response) =>
      url === '/elsewhere'
        ? response.writeHead(200).end('{"keys":[]}')
        : response.writeHead(302, { location: '/elsewhere' }).end(),
  ],
  ['more than there can be', (_, response) => response.writeHead(200).end(`{"keys":["${'a'.repeat(300_000)}"]}`)],
  ['nothing, ever', () => undefined],
])('an issuer that answers %s takes no key away', async (_, answer) => {
  const verifier = await start({ requestTimeoutMs: 300 });
  issuer.answer = answer;
  expect(await judged(verifier, await issuer.sign(key, {}, { kid: 'new' }))).toBe('503 keys-unavailable');
  expect(await judged(verifier, await issuer.sign(key))).toBe('accepted');
});

test('a verifier that has read no keys yet refuses no token for good', async () => {
  issuer.answer = (_, response) => response.writeHead(503).end();
  const verifier = await start({ readyTimeoutMs: 50 });
  const token = await issuer.sign(key);
  expect(await judged(verifier, token)).toBe('503 keys-unavailable');
  issuer.answer = undefined;
  await vi.waitFor(async () => expect(await judged(verifier, token)).toBe('accepted'), { timeout: 20_000 });
});

test('a token that was seen before is refused when its key is no longer published', async () => {
  const verifier = await start();
  const token = await issuer.sign(key);
  expect(await judged(verifier, token)).toBe('accepted');
  const [next] = [await issuer.addKey(), issuer.keys.shift()];
  // what makes the verifier read them again
  expect(await judged(verifier, await issuer.sign(next))).toBe('accepted');
  expect(await judged(verifier, token)).toBe('401 unknown-key');
});

test('another key under the same id is another key', async () => {
  const verifier = await start();
  const token = await issuer.sign(key);
  expect(await judged(verifier, token)).toBe('accepted');
  const other = await issuer.addKey();
  issuer.keys.splice(0, 2, { ...other.jwk, kid: key.kid }, (await issuer.addKey()).jwk);
  expect(await judged(verifier, await issuer.sign(other, {}, { kid: 'to be read again' }))).toBe('401 unknown-key');
  expect(await judged(verifier, token)).toBe('401 bad-signature');
  expect(await judged(verifier, await issuer.sign(other, {}, { kid: key.kid }))).toBe('accepted');
});

test('keys are read again when they are as old as the issuer says', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    issuer.cacheControl = 'public, max-age=120';
    const verifier = await start({ readyTimeoutMs: 0 });
    await vi.waitFor(() => expect(verifier.view().keys).toHaveLength(1), { timeout: 20_000 });
    await issuer.addKey();
    vi.advanceTimersByTime(100_000);
    expect(timesRead()).toBe(1);
    vi.advanceTimersByTime(20_000);
    await vi.waitFor(() => expect(verifier.view().keys).toHaveLength(2), { timeout: 20_000 });
  } finally {
    vi.useRealTimers();
  }
});

test('symmetric keys, keys for encryption and private members are not taken in', async () => {
  const secret = Buffer.from('a secret of the issuer that somebody published');
  const { jwk } = await issuer.addKey();
  issuer.keys.splice(0, issuer.keys.length, 'text', null, 7, [], {}, { ...jwk, use: 'enc', kid: 'enc' });
  issuer.keys.push({ kty: 'oct', k: secret.toString('base64url'), kid: 'secret', alg: 'HS256' });
  issuer.keys.push({ ...jwk, key_ops: ['encrypt'], kid: 'ops' });
  const privateJwk = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
  issuer.keys.push({ ...privateJwk, kid: 'private' });
  const verifier = await start();
  expect(verifier.view().keys).toEqual(['private']);
});
