import { beforeAll, describe, expect, test } from 'vitest';

import { newPerson, signInAdmin, uniqueName } from '../support/people.js';
import { newService, type Service } from '../support/services.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse();
let token: string;

beforeAll(async () => {
  token = (await signInAdmin(gatehouse)).token;
});

const presets = {
  read: { limit: 60_000, windowSeconds: 60 },
  write: { limit: 12_000, windowSeconds: 60 },
  login: { limit: 3_000, windowSeconds: 60 },
  hash: { limit: 1_200, windowSeconds: 60 },
  upload: { limit: 600, windowSeconds: 60 },
};
const service = (plan?: object): Promise<Service> =>
  newService(gatehouse, { token, scopes: ['users:read'], ...(plan && { plan }) });
const patch = (name: string, body: object) => gatehouse.api.patch(`/v1/services/${name}`, { token, body });
const planOf = async (name: string): Promise<unknown> =>
  (await gatehouse.api.get(`/v1/services/${name}`, { token })).body.plan;
const list = async ({ headers }: Service) => gatehouse.api.get('/v1/users?limit=1', { headers });

describe('a plan', () => {
  test('has a default for every part that was not given', async () => {
    expect(await planOf((await service()).name)).toEqual(presets);
    const { name } = await service({ read: { limit: 7 }, upload: { windowSeconds: 3_600 } });
    expect(await planOf(name)).toEqual({
      ...presets,
      read: { limit: 7, windowSeconds: 60 },
      upload: { limit: 600, windowSeconds: 3_600 },
    });
  });

  test('is merged by PATCH, part by part, and null gives the default back', async () => {
    const { name } = await service({ read: { limit: 7 }, write: { limit: 8, windowSeconds: 9 } });
    const changes: [body: object, read: object, write: object][] = [
      [{ read: { windowSeconds: 10 } }, { limit: 7, windowSeconds: 10 }, { limit: 8, windowSeconds: 9 }],
      [{ write: { limit: null } }, { limit: 7, windowSeconds: 10 }, { limit: 12_000, windowSeconds: 9 }],
      [{ read: null }, presets.read, { limit: 12_000, windowSeconds: 9 }],
      [{ write: null }, presets.read, presets.write],
    ];
    for (const [plan, read, write] of changes) {
      const answer = await patch(name, { plan });
      expect([answer.status, answer.body.plan]).toEqual([200, { ...presets, read, write }]);
    }
  });

  test('acts at once, on what was already counted', async () => {
    const reader = await service({ read: { limit: 1 } });
    const statuses: number[] = [];
    for (const limit of [1, 3, 2, 4]) {
      await patch(reader.name, { plan: { read: { limit } } });
      statuses.push((await list(reader)).status, (await list(reader)).status);
    }
    expect(statuses).toEqual([200, 429, 200, 200, 429, 429, 200, 429]);
  });

  test.each([
    ['no limit', { read: { limit: 0 } }],
    ['a fraction', { read: { limit: 1.5 } }],
    ['a text', { read: { limit: '5' } }],
    ['an endless one', { read: { limit: 1e12 } }],
    ['a window of more than a day', { read: { windowSeconds: 86_401 } }],
    ['an unknown class', { reads: { limit: 5 } }],
    ['an unknown part', { read: { burst: 5 } }],
    ['a number for a class', { read: 5 }],
  ])('with %s is refused', async (_, plan) => {
    const { name } = await service();
    const body = { name: uniqueName('service'), scopes: [], plan };
    const answers = [await gatehouse.api.post('/v1/services', { token, body }), await patch(name, { plan })];
    expect(answers.map(({ status }) => status)).toEqual([400, 400]);
    expect(answers[1]?.body.errors[0].path).toMatch(/^plan/);
  });
});

const rowsOf = async (name: string): Promise<any[]> =>
  (await gatehouse.api.get('/v1/audit?event=service-changed&limit=100', { token })).body.items.filter(
    ({ details }: any) => details.service === name,
  );

describe('the audit row of a change', () => {
  test('names the fields, and what was and is granted', async () => {
    const { name } = await service();
    await patch(name, { description: 'Secret plans', status: 'deactivated', scopes: [], plan: { read: { limit: 5 } } });
    const [row] = await rowsOf(name);
    const before = { scopes: ['users:read'], plan: presets, status: 'active' };
    const after = { scopes: [], plan: { ...presets, read: { limit: 5, windowSeconds: 60 } }, status: 'deactivated' };
    expect(row.details).toEqual({
      service: name,
      changed: ['description', 'scopes', 'plan', 'status'],
      from: before,
      to: after,
      sessions: 0,
    });
  });

  test('is not there when nothing changed', async () => {
    const { name } = await service({ read: { limit: 5 } });
    const { body: before } = await gatehouse.api.get(`/v1/services/${name}`, { token });
    for (const body of [
      {},
      { status: 'active', scopes: ['users:read'] },
      { plan: { read: { limit: 5 }, write: null } },
    ]) {
      const answer = await patch(name, body);
      expect([answer.status, answer.body]).toEqual([200, before]);
    }
    expect(await rowsOf(name)).toEqual([]);
  });

  test('loses no change of two that come at once', async () => {
    const { name } = await service();
    await Promise.all([
      patch(name, { plan: { read: { limit: 5 } } }),
      patch(name, { plan: { write: { limit: 6 } } }),
      patch(name, { plan: { login: { limit: 7 } } }),
    ]);
    expect(await planOf(name)).toMatchObject({ read: { limit: 5 }, write: { limit: 6 }, login: { limit: 7 } });
  });
});

test('what a service does for a user is audited with both', async () => {
  const shop = await service();
  const person = await newPerson(gatehouse);
  const answer = await gatehouse.api.post('/v1/auth/logout', { headers: shop.headers, token: person.token });
  expect(answer.status).toBe(204);
  const { body } = await gatehouse.api.get(`/v1/audit?userId=${person.id}&event=logged-out`, { token });
  expect(body.items[0].caller).toBe(`user:${person.id} via service:${shop.name}`);
});

const usage = (name: string, caller: object) => gatehouse.api.get(`/v1/services/${name}/usage`, caller);

describe('usage', () => {
  test('is for administrators and the service itself', async () => {
    const [mine, other] = [await service(), await service()];
    const person = await newPerson(gatehouse);
    const callers = [{ token }, { headers: mine.headers }, { headers: other.headers }, { token: person.token }, {}];
    const answers = await Promise.all(callers.map((caller) => usage(mine.name, caller)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 403, 403, 401]);
    expect((await usage('nobody-here', { headers: other.headers })).status).toBe(403);
    expect((await usage('nobody-here', { token })).body.code).toBe('service-not-found');
  });

  test('of a new service is nothing, and of a later one of its name too', async () => {
    const { name, headers } = await service();
    const nothing = { used: 0, refused: 0 };
    expect((await usage(name, { token })).body).toMatchObject({ name, classes: { read: { day: nothing } } });
    await gatehouse.api.get('/v1/users?limit=1', { headers });
    expect((await usage(name, { token })).body.classes.read.day).toEqual({ used: 1, refused: 0 });
    await gatehouse.api.delete(`/v1/services/${name}`, { token });
    await gatehouse.api.post('/v1/services', { token, body: { name, scopes: [] } });
    expect((await usage(name, { token })).body.classes.read.day).toEqual(nothing);
  });
});
