import { beforeAll, describe, expect, test } from 'vitest';

import { ask } from '../support/graphql.js';
import { signInAdmin } from '../support/people.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const loginLimit = 5;
const gatehouse = useGatehouse({ environment: { RATE_LIMIT_IP_LOGIN: String(loginLimit) } });
let token: string;

beforeAll(async () => {
  token = (await signInAdmin(gatehouse)).token;
});

const times = (count: number, part: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => part(index)).join(' ');
const introspected = `{ __schema { types ${'{ fields { type '.repeat(10)}{ name }${' } }'.repeat(10)} } }`;
const login = (index: number): string => `l${index}: login(userName: "admin", password: "wrong") { sessionId }`;
const ofUsers = (argument: string, type: string): string =>
  `query ($x: ${type}) { users(${argument}: $x) { nodes { id } } }`;
const countAttempts = async (): Promise<number> => {
  const { data } = await ask(
    gatehouse,
    '{ auditEvents(first: 100, filter: { event: LOGIN_FAILED }) { nodes { id } } }',
    { token },
  );
  return data.auditEvents.nodes.length;
};

describe('a hostile query is refused with a clear error:', () => {
  test.for<[name: string, query: string, status: number, code: string, message: RegExp]>([
    [
      '1,000 aliases',
      `{ ${times(1_000, (index) => `a${index}: me { id }`)} }`,
      400,
      'query-too-costly',
      /more than 20 aliases/,
    ],
    [
      '21 aliases',
      `{ ${times(21, (index) => `a${index}: me { id }`)} }`,
      400,
      'query-too-costly',
      /more than 20 aliases/,
    ],
    [
      'fields nested 50 levels deep',
      `{ ${'me { '.repeat(50)} id ${'}'.repeat(50)} }`,
      400,
      'query-too-costly',
      /more than 20 levels/,
    ],
    [
      'a page of 100 users with 100 sessions each',
      '{ users(first: 100) { nodes { sessions(first: 100) { id } } } }',
      400,
      'query-too-costly',
      /10101 objects that it may answer; 2000/,
    ],
    [
      'a page whose inner size is a variable',
      'query ($n: Int = 100) { users(first: 100) { nodes { sessions(first: $n) { id } } } }',
      400,
      'query-too-costly',
      /objects/,
    ],
    [
      'a fragment that spreads itself',
      '{ me { ...A } } fragment A on User { id ...A }',
      400,
      'invalid-query',
      /Cannot spread fragment "A" within itself/,
    ],
    [
      'two fragments that spread each other',
      '{ me { ...A } } fragment A on User { ...B } fragment B on User { ...A }',
      400,
      'invalid-query',
      /via "B"/,
    ],
    ['deeply nested introspection', introspected, 400, 'query-too-costly', /more than 20 levels/],
    ['400 directives on one field', `{ me ${'@a '.repeat(400)} { id } }`, 400, 'invalid-query', /Unknown directive/],
    ['a page size beyond 32 bits', '{ users(first: 99999999999) { nodes { id } } }', 400, 'invalid-query', /32-bit/],
    ['a negative page size', '{ users(first: -1) { nodes { id } } }', 200, 'invalid-request', /invalid fields/],
  ])('%s', async ([, query, status, code, message]) => {
    const answer = await ask(gatehouse, query, { token });
    expect([answer.status, answer.code]).toEqual([status, code]);
    expect(answer.errors[0].message).toMatch(message);
  });

  test('fragments of which each spreads the next one twice', async () => {
    const fragments = times(9, (index) => `fragment F${index} on User { ...F${index + 1} ...F${index + 1} }`);
    const cyclic = `{ me { ...F0 } } ${fragments} fragment F9 on User { id ...F0 }`;
    expect((await ask(gatehouse, cyclic, { token })).code).toBe('invalid-query');
    const more = times(25, (index) => `fragment F${index} on User { ...F${index + 1} ...F${index + 1} }`);
    const answer = await ask(gatehouse, `{ me { ...F0 } } ${more} fragment F25 on User { id }`, { token });
    expect([answer.status, answer.code]).toEqual([400, 'query-too-costly']);
    expect(answer.errors[0].message).toMatch(/more than 20 spreads of fragments/);
  });

  test('the answer to many errors holds five of them', async () => {
    const { errors, code } = await ask(gatehouse, `{ ${times(200, (index) => `field${index}`)} }`, { token });
    expect([errors.length, code]).toEqual([5, 'invalid-query']);
    const variables = { filter: Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`field${index}`, 1])) };
    const query = 'query ($filter: UserFilter) { users(filter: $filter) { nodes { id } } }';
    const unread = await ask(gatehouse, query, { token, variables });
    expect([unread.errors.length, unread.code]).toEqual([5, 'invalid-request']);
  });

  test('a body of a megabyte is refused unread', async () => {
    const answer = await gatehouse.api.post('/graphql', {
      token,
      body: { query: `{ me { id } } # ${'a'.repeat(1_000_000)}` },
    });
    expect([answer.status, answer.body.code]).toEqual([413, 'body-too-large']);
  });
});

describe('null for an argument', () => {
  test.for<[name: string, query: string]>([
    ['that may be left out counts as absent', ofUsers('filter', 'UserFilter')],
    ['that is a cursor counts as absent', ofUsers('after', 'String')],
    ['within a filter counts as absent', 'query ($x: String) { users(filter: { q: $x }) { nodes { id } } }'],
    [
      'that is the audit filter counts as absent',
      'query ($x: AuditFilter) { auditEvents(filter: $x) { nodes { id } } }',
    ],
    ['that is an owner counts as absent', 'query ($x: ID) { sessions(userId: $x) { id } }'],
  ])('%s', async ([, query]) => {
    const { status, errors } = await ask(gatehouse, query, { token, variables: { x: null } });
    expect([status, errors]).toEqual([200, undefined]);
  });

  test.for<[argument: string, query: string]>([
    ['first', ofUsers('first', 'Int')],
    ['sort', ofUsers('sort', 'UserSort')],
    ['first', 'query ($x: Int) { sessions(first: $x) { id } }'],
    ['first', 'query ($x: Int) { me { sessions(first: $x) { id } } }'],
    ['how', 'query ($x: CountHow) { users { totalCount(how: $x) } }'],
  ])('that has a default, such as `%s`, is refused with its name', async ([argument, query]) => {
    const { errors } = await ask(gatehouse, query, { token, variables: { x: null } });
    expect(errors[0].extensions.code).toBe('invalid-request');
    expect(errors[0].message).toContain(`Argument "${argument}"`);
  });

  test('and a subscription are no errors of the service, so the log has none', async () => {
    const { status, code, errors } = await ask(gatehouse, 'subscription { __typename }');
    expect([status, code, errors[0].message]).toEqual([400, 'invalid-query', 'There are no subscriptions here.']);
    expect(gatehouse.log.filter(({ level }) => level === 'error')).toEqual([]);
  });
});

describe('logins are counted one by one', () => {
  test('a batch of 100 logins is refused, and none is tried', async () => {
    const before = await countAttempts();
    const one = { query: `mutation { ${login(0)} }` };
    const response = await fetch(`${gatehouse.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(Array.from({ length: 100 }, () => one)),
    });
    const { errors }: any = await response.json();
    expect([response.status, errors[0].extensions.code]).toEqual([400, 'bad-request']);
    expect(errors[0].message).toMatch(/batching disabled/);
    expect(await countAttempts()).toBe(before);
  });

  test('of 20 aliased logins as many are tried as the limit allows', async () => {
    const before = await countAttempts();
    const { errors, headers } = await ask(gatehouse, `mutation { ${times(20, login)} }`);
    const codes = errors.map(({ extensions }: any) => extensions.code);
    // the sign-in of the administrator has used up one
    const allowed = loginLimit - 1;
    expect(codes).toEqual([...Array(allowed).fill('invalid-credentials'), ...Array(20 - allowed).fill('rate-limited')]);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await countAttempts()).toBe(before + allowed);
  });

  test('a limit that is used up over GraphQL is used up over REST', async () => {
    const { status } = await gatehouse.api.post('/v1/auth/login', { body: { userName: 'admin', password: 'wrong' } });
    expect(status).toBe(429);
    const { code } = await ask(gatehouse, `mutation { ${login(0)} }`);
    expect(code).toBe('rate-limited');
  });
});
