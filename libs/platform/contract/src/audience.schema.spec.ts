import { expect, test } from 'vitest';

import { audienceKey, audienceSchema } from './audience.schema.js';

const same: [string, string, string][] = [
  ['capitals in scheme and host', 'HTTPS://Orders.Example.ORG/', 'https://orders.example.org/'],
  ['an empty path', 'https://orders.example.org', 'https://orders.example.org/'],
  ['an empty path before a query', 'https://orders.example.org?v=1', 'https://orders.example.org/?v=1'],
  ['the default port', 'https://orders.example.org:443/a', 'https://orders.example.org/a'],
  ['an empty port', 'https://orders.example.org:/a', 'https://orders.example.org/a'],
  ['escapes in small letters', 'https://a.example/%c3%a9', 'https://a.example/%C3%A9'],
  ['escapes of what needs none', 'https://a.example/%7Eada/%2D%41', 'https://a.example/~ada/-A'],
  ['escapes in the host', 'https://%61.example/', 'https://a.example/'],
  ['dot segments', 'https://a.example/x/./y/../z', 'https://a.example/x/z'],
  ['escaped dot segments', 'https://a.example/x/%2e%2E/z', 'https://a.example/z'],
  ['a host of another script', 'https://bücher.example/', 'https://xn--bcher-kva.example/'],
  ['an escaped host of another script', 'https://b%C3%BCcher.example', 'https://xn--bcher-kva.example/'],
  ['a path of another script', 'https://a.example/é', 'https://a.example/%C3%A9'],
  ['a scheme of its own', 'API://Orders', 'api://orders/'],
  ['escapes in the host of a scheme of its own', 'api://%4Frders/%7e', 'api://orders/~'],
  ['the scheme of a URN', 'URN:example:orders', 'urn:example:orders'],
];
test.each(same)('%s: the same audience', (_, one, other) => {
  expect(audienceKey(one)).toBe(audienceKey(other));
  expect(audienceKey(audienceKey(one))).toBe(audienceKey(one));
});

const different: [string, string, string][] = [
  ['another scheme', 'http://a.example', 'https://a.example'],
  ['another port', 'https://a.example:8443', 'https://a.example'],
  ['the default port of another scheme', 'http://a.example:443', 'http://a.example'],
  ['capitals in the path', 'https://a.example/Orders', 'https://a.example/orders'],
  ['a slash at the end of a path', 'https://a.example/orders/', 'https://a.example/orders'],
  ['an escaped slash', 'https://a.example/a%2Fb', 'https://a.example/a/b'],
  ['an empty query', 'https://a.example/?', 'https://a.example/'],
  ['a query in another order', 'https://a.example/?a&b', 'https://a.example/?b&a'],
  ['a fragment', 'https://a.example/#', 'https://a.example/'],
  ['a subdomain', 'https://www.a.example', 'https://a.example'],
  ['a blank before it', ' https://a.example', 'https://a.example'],
  ['a tab within', 'https://a.exa\tmple', 'https://a.example'],
  ['backslashes', 'https:\\\\a.example', 'https://a.example'],
  ['no slashes before the host', 'https:a.example', 'https://a.example'],
  ['a slash too many', 'https:///a.example', 'https://a.example'],
  ['text that is no URI', 'My API', 'my api'],
];
test.each(different)('%s: another audience', (_, one, other) => {
  expect(audienceKey(one)).not.toBe(audienceKey(other));
});

test.each([
  'https://orders.example.org',
  'https://orders.example.org:8443/v1?x=%7e',
  'http://[::1]:3000/',
  'api://orders',
  'urn:example:orders',
  'tag:example.org,2026:orders',
  'https://xn--bcher-kva.example',
  `https://a.example/${'a'.repeat(482)}`,
])('%s can be registered', (text) => {
  expect(audienceSchema.safeParse(text).success).toBe(true);
});

test.each([
  '',
  'orders',
  '/orders',
  '//orders.example.org',
  'https:',
  'https://',
  'https:orders.example.org',
  'https:///orders.example.org',
  'https://orders.example.org/#a',
  'https://orders.example.org#',
  'https://bücher.example',
  'https://orders.example.org/a b',
  'https://orders.example.org/%zz',
  'https://orders.example.org:99999',
  'https://orders.example.org/"',
  'https://orders.example.org\n',
  `https://a.example/${'a'.repeat(483)}`,
])('%s cannot be registered', (text) => {
  expect(audienceSchema.safeParse(text).success).toBe(false);
});
