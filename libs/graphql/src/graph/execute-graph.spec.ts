import {
  buildSchema,
  execute,
  type ExecutionArgs,
  type ExecutionResult,
  getOperationAST,
  type GraphQLSchema,
  parse,
} from 'graphql';
import { expect, test } from 'vitest';

import { executeByPlan } from './execute-graph.js';

const schema = buildSchema(`
  enum Color { RED GREEN }
  interface Named { name: String! }
  type Part implements Named { name: String! size(unit: Int! = 1): Int! later(fails: Boolean = false): String! must: String! may: String }
  type Thing { id: ID! colors: [Color!]! part: Part parts: [Part!]! maybe: [Part] strict: [Part!] later: [Part!]! number: Int! }
  type Query { thing: Thing things(first: Int! = 2): [Thing!]! named: Named none: Thing must: String! broken: String }
  type Mutation { count: Int! }
`);
resolve(schema, 'Part', {
  size: (_: unknown, { unit }: { unit: number }) => 10 * unit,
  later: (_: unknown, { fails }: { fails: boolean }) =>
    fails ? Promise.reject(new Error('too late')) : Promise.resolve('here'),
});
resolve(schema, 'Thing', { later: ({ parts }: { parts: unknown }) => Promise.resolve(parts) });
resolve(schema, 'Query', {
  thing: () => Promise.resolve(thing(1)),
  things: (_: unknown, { first }: { first: number }) => Array.from({ length: first }, (__, at) => thing(at)),
  named: () => ({ __typename: 'Part', name: 'n' }),
  must: () => null,
  broken: () => new Error('it broke'),
});
let count = 0;
resolve(schema, 'Mutation', { count: () => ++count });

const part = (name: string, more: object = {}): object => ({ name, must: 'm', may: null, ...more });
const thing = (id: number): object => ({
  id,
  colors: ['RED', 'GREEN'],
  part: part('p'),
  parts: [part('a'), part('b', { must: null }), part('c')],
  maybe: [part('a', { must: null }), null, part('c')],
  strict: [part('a'), null],
  number: id === 1 ? 'no number' : id,
});

function resolve(of: GraphQLSchema, type: string, resolvers: Readonly<Record<string, unknown>>): void {
  for (const [name, resolver] of Object.entries(resolvers)) {
    const fields = of.getType(type);
    if (fields && 'getFields' in fields) Object.assign(fields.getFields()[name] ?? {}, { resolve: resolver });
  }
}

const json = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
/** Fields of an object may fail in any order. */
const sorted = ({ errors = [], ...rest }: ExecutionResult): unknown => ({
  ...rest,
  errors: errors.map((error) => JSON.stringify(error)).toSorted(),
});

type Request = Pick<ExecutionArgs, 'schema' | 'document' | 'contextValue' | 'operationName'> & {
  readonly variableValues: Readonly<Record<string, unknown>>;
};

function planned({ operationName, ...request }: Request): Promise<ExecutionResult> | undefined {
  const operation = getOperationAST(request.document, operationName);
  if (!operation) throw new Error('no such operation');
  return executeByPlan({ ...request, contextValue: request.contextValue, operation });
}

/** As the server does it. */
const run = (request: Request): ReturnType<typeof execute> => planned(request) ?? execute(request);

test.each<[name: string, query: string, variables?: Readonly<Record<string, unknown>>]>([
  ['fields in the order asked for', '{ thing { colors id part { may name } } none { id } __typename }'],
  [
    'aliases and arguments',
    '{ a: things(first: 1) { x: id part { size big: size(unit: 7) __typename } } b: things { id } }',
  ],
  ['fields selected twice', '{ thing { part { name } } thing { part { size } id } }'],
  [
    'fragments',
    '{ thing { ...F ... on Thing { part { ...P } } ... { id } } } fragment F on Thing { id ...G } fragment G on Thing { part { ...P } } fragment P on Part { name size }',
  ],
  [
    'what is skipped',
    'query ($yes: Boolean!, $no: Boolean!) { thing { id @skip(if: $yes) colors @include(if: $no) ... @skip(if: $yes) { number } part @skip(if: $no) @include(if: $yes) { name } } }',
    { yes: true, no: false },
  ],
  ['variables with defaults', 'query ($n: Int = 3) { things(first: $n) { id } }'],
  ['variables that are given', 'query ($n: Int!) { things(first: $n) { id } }', { n: 1 }],
  ['a null that may not be, up to what may be null', '{ thing { id parts { must } } none { id } }'],
  ['a null that may not be, in a list that holds nulls', '{ thing { maybe { name must } strict { name } } }'],
  ['a null that may not be, up to the root', '{ thing { id } must }'],
  ['an error that is given, not thrown', '{ broken thing { id } }'],
  ['a value that does not fit its type', '{ thing { number } none { id } }'],
  ['promises', '{ things { id later { later name } part { later } } }'],
  ['a promise that fails', '{ thing { part { later(fails: true) } id } none { id } }'],
  ['a promise that fails beside a value that does', '{ thing { part { later(fails: true) } number } }'],
  ['promises that fail in lists', '{ thing { maybe { later(fails: true) } later { later(fails: true) } } }'],
  ['a key that objects have already', '{ thing { constructor: id toString: id __proto__: id } }'],
  ['types that are abstract', '{ named { name ... on Part { size } } }'],
  ['what the schema tells of itself', '{ __type(name: "Part") { name fields { name } } thing { id } }'],
  ['a variable that is missing', 'query ($n: Int!) { things(first: $n) { id } }'],
  ['a variable of another type', 'query ($n: Int!) { things(first: $n) { id } }', { n: 'many' }],
  ['an argument whose variable is null', 'query ($n: Int = 2) { things(first: $n) { id } }', { n: null }],
])('a query answers as graphql-js does: %s', async (_, query, variableValues = {}) => {
  const request = { schema, document: parse(query), operationName: undefined, variableValues, contextValue: {} };
  const [ours, theirs] = [await run(request), await execute(request)];
  expect(sorted(ours)).toEqual(sorted(theirs));
  expect(JSON.stringify(ours.data)).toBe(JSON.stringify(theirs.data));
});

test('a mutation is left to graphql-js', () => {
  const request = { schema, document: parse('mutation { a: count b: count }'), variableValues: {}, contextValue: {} };
  expect(planned(request)).toBeUndefined();
});

test('of several operations the named one is done', async () => {
  const document = parse('query A { thing { id } } query B { things { id } }');
  const request = { schema, document, operationName: 'B', variableValues: {}, contextValue: {} };
  expect(json(await planned(request))).toEqual({ data: { things: [{ id: '0' }, { id: '1' }] } });
});
