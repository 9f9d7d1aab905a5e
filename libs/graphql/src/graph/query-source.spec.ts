import { expect, test } from 'vitest';

import { queryLimits } from './query-limits.js';
import { findExcess } from './query-source.js';

const times = (count: number, text: string): string => Array.from({ length: count }, () => text).join(' ');

test.for<[name: string, query: string, excess: RegExp | undefined]>([
  ['as many aliases as are allowed', `{ ${times(queryLimits.aliases, 'a: me { id }')} }`, undefined],
  ['one alias more', `{ ${times(queryLimits.aliases + 1, 'a: me { id }')} }`, /20 aliases/],
  ['aliases in fragments', `{ ...F } fragment F on Query { ${times(21, 'a: me { id }')} }`, /20 aliases/],
  [
    'arguments, variables and objects, which have colons too',
    `query (${times(30, '$a: Int = 1')}) { users(${times(30, 'filter: { a: 1, b: [2] }')}) { id } }`,
    undefined,
  ],
  ['colons in texts and comments', `{ me(a: "${times(30, 'a:')}") { id } } # ${times(30, 'a:')}`, undefined],
  ['as many tokens as are allowed', times(queryLimits.tokens, 'a'), undefined],
  ['one token more', times(queryLimits.tokens + 1, 'a'), /1000 tokens/],
  ['as many levels as are allowed', '{ a '.repeat(queryLimits.nesting), undefined],
  ['one level more', '{ a '.repeat(queryLimits.nesting + 1), /20 levels/],
  ['levels of lists', `{ a(b: ${'['.repeat(19)}`, /20 levels/],
  ['levels that were closed again', times(100, '{ a }'), undefined],
  ['no GraphQL', '{ me { "', undefined],
  ['nothing', '', undefined],
])('what the lexer finds too much: %s', ([, query, excess]) => {
  const found = findExcess(query)?.message;
  if (excess) expect(found).toMatch(excess);
  else expect(found).toBeUndefined();
});
