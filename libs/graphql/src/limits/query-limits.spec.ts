import { buildSchema, getOperationAST, parse } from 'graphql';
import { describe, expect, test } from 'vitest';

import { type QueryMeasure, QueryMeter } from './query-limits.js';

/** A schema of the shape of ours. Unlike ours it has a cycle, `Person.friend`. */
const schema = buildSchema(`
  type Query { me: Person services: [Service] people(first: Int = 20): Page }
  type Service { name: String }
  type Page { nodes: [Person] edges: [Edge] info: Info }
  type Edge { node: Person }
  type Info { hasNext: Boolean }
  type Person { id: ID friend: Person things(first: Int = 10): [Thing] }
  type Thing { id: ID }
`);

function measure(query: string, variables: Record<string, unknown> = {}): QueryMeasure {
  const document = parse(query);
  const operation = getOperationAST(document);
  if (!operation) throw new Error('The query has no operation');
  return new QueryMeter(schema, document, variables).measure(operation);
}

describe('the cost of a query is the number of objects that it may answer', () => {
  test.for([
    ['{ me { id } }', 1],
    ['{ me { id friend { id } } }', 2],
    ['{ services { name } }', 100],
    ['{ people { info { hasNext } } }', 2],
    ['{ people { nodes { id } } }', 21],
    ['{ people(first: 50) { nodes { id } info { hasNext } } }', 52],
    ['{ people(first: 50) { edges { node { id } } } }', 101],
    ['{ people(first: 50) { nodes { things { id } } } }', 551],
    ['{ people(first: 50) { nodes { things(first: 2) { id } } } }', 151],
    ['{ people(first: 1000000) { nodes { id } } }', 101],
    ['{ people(first: -1) { nodes { id } } }', 101],
    ['{ people(first: null) { nodes { id } } }', 21],
    ['query ($n: Int) { people(first: $n) { nodes { id } } }', 8],
    ['query ($m: Int = 3) { people(first: $m) { nodes { id } } }', 101],
    ['{ a: me { id } b: me { id } }', 2],
    ['{ ...F ... on Query { me { id } } } fragment F on Query { people { nodes { id } } }', 22],
    ['{ __schema { types { name } } }', 0],
  ] as const)('%s', ([query, cost]) => {
    expect(measure(query, { n: 7 }).cost).toBe(cost);
  });
});

test('the depth of a query counts nested fields, also those in fragments', () => {
  expect(measure('{ me { id } }').depth).toBe(2);
  expect(measure(`{ ${'me { friend { '.slice(0, 5)}${'friend { '.repeat(48)} id ${'}'.repeat(49)} }`).depth).toBe(50);
  expect(measure('{ me { ...F } } fragment F on Person { friend { ... { friend { id } } } }').depth).toBe(4);
});

test('60 fragments that each spread the next one twice are measured without running 2^60 steps', () => {
  const fragments = Array.from({ length: 60 }, (_, at) => `fragment F${at} on Person { ...F${at + 1} ...F${at + 1} }`);
  const { cost } = measure(`{ me { ...F0 } } ${fragments.join(' ')} fragment F60 on Person { friend { id } }`);
  expect(cost).toBe(1 + 2 ** 60);
});
