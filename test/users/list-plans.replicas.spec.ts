import { SqlEntityManager } from '@mikro-orm/sql';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { Sql } from '#libs/platform/database';

import { insertUsers } from '../../bench/lib/generated-users.js';
import {
  type BoundStatement,
  type ListPosition,
  type UserFilters,
  UserListStatements,
} from '../../libs/users/src/list/user-list.sql.js';
import { rarePattern } from '../../libs/users/src/list/trigrams.js';
import { copyDatabase, type OwnDatabase } from '../support/copy-database.js';
import { signInAdmin } from '../support/people.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';

let gatehouse: Gatehouse;
let own: OwnDatabase;
let sql: Sql;
let token: string;

beforeAll(async () => {
  own = await copyDatabase();
  gatehouse = await startGatehouse({}, own);
  sql = gatehouse.app.get(Sql);
  token = (await signInAdmin(gatehouse)).token;
  // without the service's time limit, and with the big index made in one go, as a restore would
  const client = new pg.Client(own.environment['DATABASE_URL']);
  await client.connect();
  const { rows } = await client.query("select indexdef from pg_indexes where indexname = 'users_search_text_trigram'");
  await client.query('drop index users_search_text_trigram');
  await client.query(insertUsers('without-profiles'), [100_000, 'none']);
  // one in twenty has a common profile, one in ten thousand a rare one and a rare role
  await client.query(`update users set
      profile = case when n % 10000 = 60 then '{"department":"rare"}' else '{"department":"sales"}' end::jsonb,
      roles = case when n % 10000 = 60 then '{user,auditor}' else roles end
    from (select id, substring(user_name_key from '[0-9]+$')::int as n from users) as numbered
    where users.id = numbered.id and n % 20 = 0`);
  await client.query(rows[0].indexdef);
  await client.end();
  // the first and the last: a text of two letters that no index finds
  await sql.rows({ text: "update users set last_name = 'Qx' where user_name_key ~ '\\D(1|100000)$'" }, []);
  await sql.rows({ text: 'vacuum analyze users' }, []);
});
afterAll(async () => {
  await gatehouse.stop();
  await own.drop();
});

type Node = { readonly 'Node Type': string; readonly 'Relation Name'?: string; readonly Plans?: readonly Node[] };

const nodesOf = (node: Node): readonly Node[] => [node, ...(node.Plans ?? []).flatMap(nodesOf)];

/** The nodes of the plan that PostgreSQL makes for the statement with these values. */
async function planOf({ text, values, disabledPlans }: BoundStatement): Promise<readonly string[]> {
  const [row] = await sql.tuples<[any]>({ text: `explain (format json) ${text}` }, values, disabledPlans);
  return nodesOf(row?.[0][0].Plan).map((node) => `${node['Node Type']} ${node['Relation Name'] ?? ''}`.trim());
}

const middle = new Date(Date.now() - 50_000 * 150_000).toISOString();
const recent = new Date(Date.now() - 100 * 150_000).toISOString();
const queries: readonly Omit<UserFilters, 'sort'>[] = [
  {},
  { userNameKey: 'maria.smith1' },
  { emailKey: 'maria.smith1@example.org', status: 'active' },
  { userNameKey: 'maria.smith1', q: 'maria', role: 'user', createdAfter: middle },
  { status: 'active' },
  { status: 'deactivated' },
  { role: 'user' },
  { role: 'admin' },
  { role: 'admin', status: 'deactivated' },
  { role: 'user', status: 'deactivated' },
  { createdAfter: recent },
  { createdBefore: middle },
  { createdAfter: middle, createdBefore: recent, status: 'active' },
  { q: 'maria' },
  { q: 'smithson' },
  { q: 'xyzzy' },
  { q: '77777', status: 'active' },
  { q: 'schmidt', role: 'admin', createdAfter: middle },
  { q: 'иван', status: 'deactivated' },
  { q: 'qx' },
  { q: 'a', createdBefore: middle },
  { subject: 'legacy|1' },
  { role: 'auditor' },
  { role: 'auditor', status: 'active', q: 'maria' },
  { profile: { department: 'sales' } },
  { profile: { department: 'rare' } },
  { profile: { department: 'rare' }, status: 'deactivated', createdAfter: middle },
  { profile: { department: 'nowhere' }, metadata: { orgId: 'o1' } },
];
const orders = [
  ['createdAt', [Date.parse(middle), '0190a6d4-7f3a-7c8b-9d1e-2f3a4b5c6d7e']],
  ['-createdAt', [Date.parse(middle), '0190a6d4-7f3a-7c8b-9d1e-2f3a4b5c6d7e']],
  ['userName', ['maria.smith1']],
  ['-userName', ['maria.smith1']],
] as const satisfies readonly (readonly [UserFilters['sort'], ListPosition])[];

/** Searches with a sample of the texts, and before there is one. */
function searchesOf(statements: UserListStatements, { q }: UserFilters): readonly BoundStatement[] {
  const pattern = q === undefined ? undefined : rarePattern({ counts: new Map(), letters: 'all' }, q);
  return [statements.search(51, 5_001), statements.search(51, 5_001, pattern)];
}

/** Every statement that the repository may choose for a page. */
function statementsOf(filters: UserFilters, after?: ListPosition): readonly BoundStatement[] {
  const statements = new UserListStatements(filters, after);
  if (statements.isIndexScan) return [statements.page(51)];
  return [
    statements.scan(51, 1_000),
    ...(statements.isSearchable('all') ? searchesOf(statements, filters) : []),
    statements.scan(51, 100_000),
    statements.boundedScan(51, 100_000),
  ];
}

describe.for(orders)('among 100,000 users in the order %s', ([sort, position]) => {
  test.for(queries)('%o is read by an index, never in whole', async (filters) => {
    for (const asked of [...statementsOf({ ...filters, sort }), ...statementsOf({ ...filters, sort }, position)]) {
      expect(await planOf(asked), asked.text).not.toContain('Seq Scan users');
    }
  });

  test('a page without filters is not sorted either', async () => {
    for (const asked of [...statementsOf({ sort }), ...statementsOf({ sort }, position)]) {
      expect(await planOf(asked)).toEqual(['Limit', 'Index Scan users']);
    }
  });
});

/** All pages, and how many users each had. */
async function readAll(query: string): Promise<{ names: string[]; sizes: number[] }> {
  const names: string[] = [];
  const sizes: number[] = [];
  for (let path: string | undefined = `/v1/users?${query}`; path !== undefined;) {
    const { body, headers } = await gatehouse.api.get(path, { token });
    sizes.push(body.items.length);
    names.push(...body.items.map(({ userName }: { userName: string }) => userName));
    path = /^<([^>]+)>/.exec(headers.get('link') ?? '')?.[1];
  }
  return { names, sizes };
}

const count = async (query: string): Promise<unknown> => {
  const { total, totalIs } = (await gatehouse.api.get(`/v1/users?count=exact&limit=1&${query}`, { token })).body;
  return [total, totalIs];
};

describe('a search among 100,000 users', () => {
  test.for(['q=qx', 'q=qx&sort=userName', 'q=qx&sort=createdAt'])(
    'for two letters that are rare looks at 100,000 users a page, and goes on: %s',
    async (query) => {
      const { names, sizes } = await readAll(query);
      expect(names.toSorted().map((name) => name.replace(/^\D+/, ''))).toEqual(['1', '100000']);
      expect(sizes).toHaveLength(2);
    },
  );

  test.for([
    ['common', 'schmidt'],
    ['rare', 'smithson'],
    ['of another alphabet', 'иванов'],
    ['without three letters in a row', 'e.s'],
  ])('for what is %s finds everybody once, in order', async ([, q = '']) => {
    const like = `%${q}%`;
    const part = new Date(Date.now() - 10_000 * 150_000).toISOString();
    const expected = await sql.rows<{ name: string }>(
      {
        text: `select user_name as name from users where created_at > $2 and (lower(user_name) like $1 or lower(email) like $1
          or lower(first_name || ' ' || last_name) like $1) order by user_name_key desc`,
      },
      [like, part],
    );
    const { names } = await readAll(
      `limit=100&sort=-userName&createdAfter=${encodeURIComponent(part)}&q=${encodeURIComponent(q)}`,
    );
    expect(names.length).toBeGreaterThan(0);
    expect(names).toEqual(expected.map(({ name }) => name));
  });

  test('is counted up to 10,000', async () => {
    expect(await count('')).toEqual([10_000, 'at-least']);
    expect(await count('role=admin')).toEqual([21, 'exact']);
    expect(await count('q=qx')).toEqual([2, 'exact']);
  });

  test('is guessed well without filters', async () => {
    const { total, totalIs } = (await gatehouse.api.get('/v1/users?count=estimated&limit=1', { token })).body;
    expect(totalIs).toBe('estimated');
    expect(Math.abs(total - 100_001)).toBeLessThan(5_000);
  });
});

test('a lost statistic does not make a list wrong', async () => {
  // as after an import that no ANALYZE has followed yet
  await gatehouse.app
    .get(SqlEntityManager)
    .fork()
    .execute("delete from pg_statistic where starelid = 'users'::regclass");
  const { names } = await readAll('q=qx&sort=createdAt');
  expect(names).toHaveLength(2);
});
