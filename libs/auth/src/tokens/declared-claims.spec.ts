import { expect, test } from 'vitest';

import { declaredClaims, sourcesOf } from './declared-claims.js';

const declare = (claims: Record<string, string>) =>
  Object.entries(claims).map(([name, text]) => {
    const [column, ...path] = text.split('.');
    return { name, column: column === 'profile' ? ('profile' as const) : ('metadata' as const), path };
  });
const user = {
  profile: { department: 'sales', address: { city: 'Bonn' }, tags: ['a'], none: null, zero: 0 },
  metadata: { orgId: 7 },
};

test.each([
  [{}, [false, false]],
  [{ a: 'profile.a' }, [true, false]],
  [{ a: 'metadata.a' }, [false, true]],
  [{ a: 'metadata.a', b: 'profile.a.b' }, [true, true]],
])('of %j it is said which columns are read', (claims, sources) => {
  expect(sourcesOf(declare(claims))).toEqual(sources);
});

test('values are taken from both columns by their paths, of any type', () => {
  const paths = {
    dept: 'profile.department',
    city: 'profile.address.city',
    org: 'metadata.orgId',
    tags: 'profile.tags',
  };
  const { claims, leftOut } = declaredClaims(declare({ ...paths, zero: 'profile.zero' }), user);
  expect(claims).toEqual({ dept: 'sales', city: 'Bonn', org: 7, tags: ['a'], zero: 0 });
  expect(leftOut).toEqual([]);
});

test.each([
  'profile.nothing',
  'profile.none',
  'profile.department.length',
  'profile.tags.0',
  'profile.constructor.name',
])('%s is absent', (path) => {
  expect(declaredClaims(declare({ claim: path }), user)).toEqual({ claims: {}, leftOut: [] });
});

test('values have 1,024 bytes of JSON together; what does not fit is left out, and what follows may fit', () => {
  const profile = { a: 'a'.repeat(1_000), b: 'é'.repeat(12), c: 'c'.repeat(20), d: 'd' };
  const paths = declare({ a: 'profile.a', b: 'profile.b', c: 'profile.c', d: 'profile.d' });
  const { claims, leftOut } = declaredClaims(paths, { profile, metadata: {} });
  expect(Object.keys(claims)).toEqual(['a', 'c']);
  expect(leftOut).toEqual(['b', 'd']);
});
