import { describe, expect, test } from 'vitest';

import { ask } from '../support/graphql.js';
import { signInAdmin } from '../support/people.js';
import { newService } from '../support/services.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const readLimit = 3;
const gatehouse = useGatehouse({
  environment: {
    RATE_LIMIT_IP_READ: String(readLimit),
    // each test pretends to come from an address of its own
    TRUST_PROXY: '127.0.0.1',
  },
});
let lastAddress = 0;

const from = (): Record<string, string> => ({ 'x-forwarded-for': `192.0.2.${++lastAddress}` });
const aliases = Array.from({ length: 50 }, (_, index) => `a${index}: me { id }`).join(' ');
const send = (body: string, headers: Record<string, string>): Promise<Response> =>
  fetch(`${gatehouse.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });
const query = (text: string): string => JSON.stringify({ query: text });
const credentials = (name: string): Record<string, string> => {
  if (name.endsWith('token')) return { authorization: 'Bearer garbage' };
  if (name.endsWith('bad service key')) return { 'x-service-key': 'nobody.secret' };
  return name.endsWith('key') ? { 'x-service-key': 'garbage' } : {};
};

describe('each request is counted before its query is parsed:', () => {
  test.for<[name: string, body: string]>([
    ['a query that is too costly', query(`{ ${aliases} }`)],
    ['a text that is no GraphQL', query('{ me {')],
    ['a query for a field that does not exist', query('{ nothing }')],
    ['a query for `__typename` alone', query('{ __typename }')],
    ['a batch of queries', `[${query('{ __typename }')}]`],
    ['an empty body', ''],
    ['a body that is no JSON', '{'],
    ['an object without a query', '{}'],
    ['a query with a bad access token', query('{ me { id } }')],
    ['a query with a bad service key', query('{ me { id } }')],
    ['a query with a malformed service key', query('{ __typename }')],
  ])('%s', async ([name, body]) => {
    const headers = { ...from(), ...credentials(name) };
    const statuses = [];
    for (let time = 0; time < readLimit + 2; time++) statuses.push((await send(body, headers)).status);
    expect(statuses.slice(0, readLimit)).not.toContain(429);
    expect(statuses.slice(readLimit)).toEqual([429, 429]);
  });

  test('a query in the address of a GET', async () => {
    const headers = from();
    const get = (): Promise<Response> => fetch(`${gatehouse.url}/graphql?query={__typename}`, { headers });
    for (let time = 0; time < readLimit; time++) expect((await get()).status).toBe(200);
    expect((await get()).status).toBe(429);
  });

  test('a refused request gets a GraphQL error that says how long to wait', async () => {
    const headers = from();
    for (let time = 0; time < readLimit; time++) await ask(gatehouse, '{ __typename }', { headers });
    const { status, errors, data, headers: answered } = await ask(gatehouse, '{ __typename }', { headers });
    expect([status, data]).toEqual([429, undefined]);
    expect(answered.get('content-type')).toBe('application/graphql-response+json; charset=utf-8');
    expect(answered.get('ratelimit-policy')).toBe(`"ip-read";q=${readLimit};w=60`);
    expect(answered.get('ratelimit')).toMatch(/^"ip-read";r=0;t=\d+$/);
    expect(Number(answered.get('retry-after'))).toBeGreaterThan(0);
    expect(errors).toEqual([
      {
        message: expect.stringContaining('"ip-read"'),
        extensions: expect.objectContaining({
          code: 'rate-limited',
          instance: '/graphql',
          'violated-policies': ['ip-read'],
        }),
      },
    ]);
  });

  test('the count of the request covers its first field that reads; each further field is counted itself', async () => {
    const { token } = await signInAdmin(gatehouse);
    const { headers } = await newService(gatehouse, {
      token,
      scopes: ['users:read'],
      plan: { read: { limit: 4 }, write: { limit: 2 } },
    });
    const left = async (text: string): Promise<string | null | undefined> =>
      (await ask(gatehouse, text, { headers })).headers.get('ratelimit')?.split(';')[1];
    expect(await left('{ users { nodes { id } } }')).toBe('r=3');
    expect(await left('{ users { nodes { id } } more: users { nodes { id } } }')).toBe('r=1');
    expect(await left('{ nothing }')).toBe('r=0');
    expect((await ask(gatehouse, '{ users { nodes { id } } }', { headers })).code).toBe('rate-limited');
  });
});
