import { expect, test } from 'vitest';

import { challenge } from './bearer.js';

const none = {
  error: undefined,
  error_description: undefined,
  scope: undefined,
  max_age: undefined,
  resource_metadata: undefined,
};

test('without parameters it is the scheme alone', () => {
  expect(challenge(none)).toBe('Bearer');
});

test('no value gets out of its quotes, or out of the header', () => {
  const written = challenge({ ...none, scope: 'a", error="x\\', error_description: 'a\r\nset-cookie: b=c\u0000ü' });
  expect(written).toBe(String.raw`Bearer error_description="a??set-cookie: b=c??", scope="a\", error=\"x\\"`);
  expect(() => new Headers({ 'www-authenticate': written })).not.toThrow();
});
