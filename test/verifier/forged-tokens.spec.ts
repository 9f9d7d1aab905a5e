import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { createVerifier, type Verifier, VerifyError } from '#verifier';

import { claimAttacks } from '../support/claim-attacks.js';
import { algorithmAttacks, type Attack, keyAttacks } from '../support/jws-attacks.js';
import { malleated, respelt, signatureAttacks, spellingAttacks } from '../support/jws-respellings.js';
import { newPerson, signInAdmin } from '../support/people.js';
import { newService } from '../support/services.js';
import { type Good, nowSeconds, signed, takeApart, withClaims } from '../support/tokens.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse();
const issuer = 'http://gatehouse.test';
let verifier: Verifier;
/** With the tolerance that there is by default. */
let tolerant: Verifier;
let good: Good;
/** What is judged here is the token, not what is known of revocations. */
const staleness = { then: 'allow' } as const;
let visits = 0;
/** Where an attacker offers keys; nobody must ever ask for them. */
const listener = createServer((_, response) => {
  visits++;
  response.end('{"keys":[]}');
}).listen(0, '127.0.0.1');
await once(listener, 'listening');
const jku = `http://127.0.0.1:${(listener.address() as AddressInfo).port}/jwks.json`;

beforeAll(async () => {
  const { token } = await signInAdmin(gatehouse);
  const { name, secret } = await newService(gatehouse, { token, scopes: ['revocations:read', 'tokens:introspect'] });
  const options = { issuer, audience: issuer, url: gatehouse.url, serviceKey: `${name}.${secret}`, staleness };
  verifier = createVerifier({ ...options, clockToleranceSeconds: 0 });
  tolerant = createVerifier(options);
  await verifier.ready();
  good = takeApart(gatehouse, (await newPerson(gatehouse)).token);
});
afterAll(async () => {
  await verifier.close();
  await tolerant.close();
  listener.close();
});

/** `accepted`, or the code of the refusal. */
const judge = (token: string, by = verifier): Promise<string> =>
  by.verify(token).then(
    () => 'accepted',
    (error: unknown) =>
      error instanceof VerifyError ? `${error.status} ${error.code}` : `no VerifyError: ${String(error)}`,
  );
const codes = /^401 (malformed|unknown-key|bad-signature|wrong-issuer|wrong-audience|not-yet-valid|expired)$/;

/** The issuer itself could make them; docs/feed-protocol.md says what an absent `gen` means. */
const harmless = new Set(['jwk of our own key, signed by us', 'no gen']);

describe.each<[string, readonly Attack[]]>([
  ['algorithm', algorithmAttacks],
  ['key', keyAttacks(jku)],
  ['signature', signatureAttacks],
  ['spelling', spellingAttacks],
  ['claim', claimAttacks],
])('%s', (_, attacks) => {
  test.each(attacks.filter(([name]) => !harmless.has(name)))('%s: refused', async (_name, make) => {
    // the good one was seen before: nothing of it may help the forged one
    expect(await judge(good.token)).toBe('accepted');
    expect(await judge(make(good))).toMatch(codes);
  });
});

test.each(
  Object.entries({
    crit: { crit: ['exp'] },
    'an empty crit': { crit: [] },
    b64: { b64: false, crit: ['b64'] },
    'b64 without crit': { b64: false },
  }),
)('a header with %s is refused, even by our own key', async (_, header) => {
  expect(await judge(signed({ ...good.header, ...header }, good.claims, good.privateKey))).toBe('401 malformed');
});

test.each([undefined, 'JWT', 'AT+JWT', 'logout+jwt', ['at+jwt']])(
  'a token of the type %s is no access token of Gatehouse',
  async (typ) => {
    expect(await judge(signed({ ...good.header, typ }, good.claims, good.privateKey))).toBe('401 malformed');
  },
);

test('a header that offers a key changes nothing', async () => {
  const jwk = good.publicKey.export({ format: 'jwk' });
  expect(await judge(signed({ ...good.header, jwk, jku, x5u: jku }, good.claims, good.privateKey))).toBe('accepted');
  expect(visits).toBe(0);
});

test.each(['', '.', '..', '...', 'a.b', 'a.b.c', '💥', '\ud800.\udc00.a', 'null', '[object Object]'])(
  'the text %j is malformed',
  async (text) => {
    expect(await judge(text)).toBe('401 malformed');
  },
);

test('a text that is too long is refused, whoever signed it', async () => {
  expect(await judge('a'.repeat(10_000_000))).toBe('401 malformed');
  expect(await judge(withClaims(good, { more: 'a'.repeat(11_000) }))).toBe('accepted');
  expect(await judge(withClaims(good, { more: 'a'.repeat(12_000) }))).toBe('401 malformed');
});

test('what is no text is malformed', async () => {
  const texts: any[] = [undefined, null, 7, {}, [], Buffer.from(good.token)];
  for (const text of texts) expect(await judge(text)).toBe('401 malformed');
});

test('other spellings of a good token are the same token', async () => {
  const tokens = [good.token, malleated(good), respelt(good), withClaims(good, { amr: ['pwd'] })];
  for (const token of tokens) expect(await judge(token)).toBe('accepted');
});

const judged = (dates: Record<string, number>) => judge(withClaims(good, dates), tolerant);

test('the dates of a token may be off by the tolerance', async () => {
  expect(await judged({ exp: nowSeconds() - 3 })).toBe('accepted');
  expect(await judged({ exp: nowSeconds() - 7 })).toBe('401 expired');
  expect(await judged({ nbf: nowSeconds() + 3 })).toBe('accepted');
  expect(await judged({ nbf: nowSeconds() + 9 })).toBe('401 not-yet-valid');
  expect(await judged({ iat: nowSeconds() + 60 })).toBe('accepted');
  expect(await judged({ iat: nowSeconds() + 75 })).toBe('401 not-yet-valid');
});
