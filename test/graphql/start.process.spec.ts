import { randomBytes } from 'node:crypto';

import { afterEach, describe, expect, test } from 'vitest';

import { ask } from '../support/graphql.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';

let gatehouse: Gatehouse | undefined;

afterEach(async () => {
  await gatehouse?.stop();
});

const start = async (environment: Record<string, string>): Promise<Gatehouse> => {
  gatehouse = await startGatehouse(environment);
  return gatehouse;
};
const asBrowser = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };
const loads = ({ log }: Gatehouse): number => log.filter(({ event }) => event === 'GraphQL is loaded').length;

test('the first request loads GraphQL once, and requests beside it wait for that load', async () => {
  const service = await start({});
  expect(loads(service)).toBe(0);
  const answers = await Promise.all([1, 2, 3].map(() => ask(service, '{ __typename }')));
  expect(answers.map(({ data }) => data)).toEqual([1, 2, 3].map(() => ({ __typename: 'Query' })));
  await ask(service, '{ __typename }');
  expect(loads(service)).toBe(1);
});

test('GRAPHQL=eager loads GraphQL when the service starts', async () => {
  expect(loads(await start({ GRAPHQL: 'eager' }))).toBe(1);
});

test('GRAPHQL=off leaves /graphql out', async () => {
  const { api } = await start({ GRAPHQL: 'off' });
  for (const answer of [await api.post('/graphql', { body: {} }), await api.get('/graphql', { headers: asBrowser })]) {
    expect([answer.status, answer.body.code]).toEqual([404, 'not-found']);
  }
});

describe('in development', () => {
  test('a browser gets GraphiQL, which loads nothing from other hosts, and a query is answered as always', async () => {
    const { api } = await start({});
    const page = await api.get('/graphql', { headers: asBrowser });
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none'; script-src 'self';/);
    expect(page.text).not.toMatch(/https?:/);
    for (const [, path] of page.text.matchAll(/(?:src|href)="(graphql[^"]+)"/g)) {
      const file = await api.get(`/${path}`);
      expect([path, file.status, file.text.length > 100]).toEqual([path, 200, true]);
    }
    const asked = await api.get('/graphql?query={__typename}', { headers: asBrowser });
    expect(asked.body).toEqual({ data: { __typename: 'Query' } });
  });
});

describe('in production', () => {
  const production = { NODE_ENV: 'production', MASTER_KEY: randomBytes(32).toString('base64') };

  test('there is no GraphiQL, no introspection, and no suggestion of field names in errors', async () => {
    const service = await start(production);
    const page = await service.api.get('/graphql', { headers: asBrowser });
    expect([page.status, page.headers.get('content-type')]).toEqual([400, 'application/json; charset=utf-8']);
    expect((await service.api.get('/graphql/start.js')).status).toBe(404);
    const schema = await ask(service, '{ __schema { types { name } } }');
    expect([schema.status, schema.code]).toEqual([400, 'invalid-query']);
    expect(schema.errors[0].message).toMatch(/introspection has been disabled/);
    const guess = await ask(service, '{ mee }');
    expect(guess.errors[0].message).not.toMatch(/Did you mean/);
    expect((await ask(service, '{ me { id } }')).code).toBe('authentication-required');
  });

  test('GRAPHQL_INTROSPECTION=true allows introspection', async () => {
    const { data } = await ask(
      await start({ ...production, GRAPHQL_INTROSPECTION: 'true' }),
      '{ __schema { queryType { name } } }',
    );
    expect(data.__schema.queryType.name).toBe('Query');
  });
});
