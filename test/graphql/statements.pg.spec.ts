import { afterAll, beforeAll, expect, test, vi } from 'vitest';

import { ask } from '../support/graphql.js';
import { registration, signIn, signInAdmin } from '../support/people.js';
import { recordStatements } from '../support/statements.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse({ own: true });
let token: string;
let statements: string[];

beforeAll(async () => {
  token = (await signInAdmin(gatehouse)).token;
  for (let index = 0; index < 12; index++) {
    const body = registration();
    await gatehouse.api.post('/v1/users', { body });
    if (index % 2 === 0) await signIn(gatehouse, body as { userName: string; password: string });
  }
  statements = await recordStatements(gatehouse);
});
afterAll(async () => {
  vi.restoreAllMocks();
});

/** Counts the statements that a query causes, without those of background work. */
async function countStatements(query: string): Promise<{ count: number; data: any }> {
  statements.length = 0;
  const { data, errors } = await ask(gatehouse, query, { token });
  expect(errors).toBeUndefined();
  return { count: statements.filter((text) => /from (users|sessions|unnest)/.test(text)).length, data };
}

const page = (first: number): string =>
  `{ users(first: ${first}) { edges { cursor node { userName avatar { url } sessions { id } } } pageInfo { endCursor } } }`;

test('a page of users with their avatars and sessions takes two statements, however long it is', async () => {
  for (const first of [1, 5, 12]) {
    const { count, data } = await countStatements(page(first));
    expect([count, data.users.edges.length]).toEqual([2, first]);
  }
  const { data } = await countStatements(page(100));
  const sessions = data.users.edges.map(({ node }: any) => node.sessions.length);
  expect(sessions.filter((length: number) => length === 1).length).toBe(7);
});

test('the sessions of each user on a page are those that REST lists', async () => {
  const { data } = await countStatements(
    '{ users { nodes { id sessions { id ip userAgent createdAt lastUsedAt isCurrent } } } }',
  );
  for (const { id, sessions } of data.users.nodes) {
    const rest = await gatehouse.api.get(`/v1/auth/sessions?userId=${id}`, { token });
    expect(sessions).toEqual(rest.body.items);
  }
});

test('a total is counted once, and only when the query asks for it', async () => {
  expect((await countStatements('{ users(first: 2) { nodes { id } } }')).count).toBe(1);
  expect((await countStatements('{ users(first: 2) { nodes { id } totalCount totalCountIs } }')).count).toBe(2);
  // the page holds the whole list, so nothing must be counted
  expect((await countStatements('{ users(first: 100) { nodes { id } totalCount } }')).count).toBe(1);
});
