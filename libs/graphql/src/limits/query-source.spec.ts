import { getIntrospectionQuery } from 'graphql';
import { expect, test } from 'vitest';

import { queryLimits } from './query-limits.js';
import { findExcess } from './query-source.js';

const aliases = (count: number): string => Array.from({ length: count }, (_, at) => `a${at}: me { id }`).join(' ');
const times = (count: number, text: string): string => Array.from({ length: count }, () => text).join(' ');

test.for<[name: string, query: string, excess: RegExp | undefined]>([
  ['20 aliases, as many as are allowed', `{ ${aliases(queryLimits.aliases)} }`, undefined],
  ['21 aliases', `{ ${aliases(21)} }`, /20 aliases/],
  ['aliases in fragments', `{ ...F } fragment F on Query { ${aliases(21)} }`, /20 aliases/],
  [
    'as many fields of one name as are allowed',
    `{ ${times(queryLimits.repeats, 'me { id }')} users { me } }`,
    undefined,
  ],
  ['one field of a name too many', `{ ${times(queryLimits.repeats + 1, 'me { id }')} }`, /4 fields of the same name/],
  ['20 aliases of one field', `{ ${aliases(20)} }`, undefined],
  [
    'a type, a directive and a fragment that are repeated',
    `{ ${times(9, '... on Query @include(if: true) { me { id } } ...F')} }`,
    undefined,
  ],
  ['fragments that are spread too often', `{ ${times(21, '...F')} }`, /20 spreads/],
  ['selection sets side by side', times(51, 'fragment F on Query { a }'), /50 selection sets/],
  ['the introspection query of clients', getIntrospectionQuery({ inputValueDeprecation: true }), undefined],
  [
    'arguments, variables and objects, which have colons too',
    `query (${times(30, '$a: Int = 1')}) { users(${times(30, 'filter: { a: 1, b: [2] }')}) { id } }`,
    undefined,
  ],
  ['colons in texts and comments', `{ me(a: "${times(30, 'a:')}") { id } } # ${times(30, 'a:')}`, undefined],
  ['as many tokens as are allowed', times(queryLimits.tokens, '1'), undefined],
  ['one token too many', times(queryLimits.tokens + 1, '1'), /1000 tokens/],
  ['as many levels as are allowed', '{ a '.repeat(queryLimits.levels), undefined],
  ['one level too many', '{ a '.repeat(queryLimits.levels + 1), /20 levels/],
  ['levels of lists', `{ a(b: ${'['.repeat(19)}`, /20 levels/],
  ['levels that are closed again', times(50, '{ a }'), undefined],
  ['a text that is no GraphQL', '{ me { "', undefined],
  ['an empty text', '', undefined],
])('the lexer alone tells whether a query is too costly: %s', ([, query, excess]) => {
  const found = findExcess(query)?.message;
  if (excess) expect(found).toMatch(excess);
  else expect(found).toBeUndefined();
});
