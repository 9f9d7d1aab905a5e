import { expect, test } from 'vitest';

import { parseOptions, type VerifierOptions } from './options.js';

const least = { issuer: 'https://id.example.org', audience: 'https://orders.example.org' };
const withKey = { ...least, serviceKey: 'orders.gts_secret' };

test('two options are enough; the others have defaults', () => {
  expect(parseOptions(withKey)).toMatchObject({
    url: 'https://id.example.org',
    isGatehouse: true,
    algorithms: ['ES256'],
    staleness: { afterMs: 2_000, then: 'introspect' },
    clockToleranceSeconds: 5,
    cachedTokens: 10_000,
  });
  expect(parseOptions(least)).toMatchObject({ isGatehouse: false, serviceKey: undefined });
  expect(parseOptions(least).algorithms).not.toContain('HS256');
});

test.each<[string, object]>([
  ['issuer', { ...least, issuer: undefined }],
  ['issuer', { ...least, issuer: 'id.example.org' }],
  ['issuer', { ...least, issuer: 'https://id.example.org/#x' }],
  ['issuer', { ...least, issuer: 'https://user:secret@id.example.org' }],
  ['url', { ...least, url: 'ftp://id.example.org' }],
  ['audience', { ...least, audience: '' }],
  ['audience', { ...least, audience: ['a', 'b'] }],
  ['serviceKey', { ...least, serviceKey: undefined }],
  ['serviceKey', { ...least, serviceKey: '' }],
  ['serviceKey', { ...least, serviceKey: 'secret-without-name' }],
  ['serviceKey', { ...least, serviceKey: 'orders.secret\r\nx-admin: 1' }],
  ['staleness', { ...least, staleness: { then: 'refuse' } }],
  ['staleness.then', { ...withKey, staleness: { then: 'ask' } }],
  ['staleness.afterMs', { ...withKey, staleness: { afterMs: 2 } }],
  ['staleness.afterMs', { ...withKey, staleness: { afterMs: Number.NaN } }],
  ['clockToleranceSeconds', { ...least, clockToleranceSeconds: 61 }],
  ['clockToleranceSeconds', { ...least, clockToleranceSeconds: '5' }],
  ['cachedTokens', { ...least, cachedTokens: -1 }],
  ['algorithms', { ...least, algorithms: ['HS256'] }],
  ['algorithms', { ...least, algorithms: ['none'] }],
  ['algorithms', { ...least, algorithms: [] }],
  ['protectedResource.resource', { ...least, audience: 'orders', protectedResource: {} }],
  ['after', { ...withKey, staleness: { after: 5_000 } }],
  ['scopes', { ...least, protectedResource: { scopes: [] } }],
  ['audiences', { ...least, audiences: ['a'] }],
  ['then', { ...withKey, staleness: { then: 'refuse' }, then: 'refuse' }],
])('a wrong %s is named', (name, options) => {
  // who writes JavaScript gets no help of a compiler
  const wrong = options as VerifierOptions;
  expect(() => parseOptions(wrong)).toThrow(TypeError);
  expect(() => parseOptions(wrong)).toThrow(name);
});

test('a secret is not shown in what is thrown', () => {
  expect(() => parseOptions({ ...least, serviceKey: 'hush hush' })).not.toThrow(/hush/);
});
