import { SqlEntityManager } from '@mikro-orm/sql';
import { beforeAll, describe, expect, test } from 'vitest';

import { signInAdmin } from '../support/people.js';
import { newService, type Service, tokenOf } from '../support/services.js';
import type { Gatehouse } from '../support/start-gatehouse.js';
import { useReplicas } from '../support/use-gatehouse.js';

const { both } = useReplicas();
let bossToken: string;

beforeAll(async () => {
  const [here] = both();
  bossToken = (await signInAdmin(here)).token;
});

const isTaken = async ({ api }: Gatehouse, token: string): Promise<boolean> =>
  (await api.get('/v1/users?limit=1', { token })).status === 200;

const scopes = ['users:read', 'tokens:introspect'];
const patch = async ({ name }: Service, body: object): Promise<unknown> =>
  both()[0].api.patch(`/v1/services/${name}`, { token: bossToken, body });

/** A service that both replicas know, with a token that both take. */
async function known(): Promise<{ service: Service; token: string }> {
  const [one, other] = both();
  const service = await newService(one, { token: bossToken, scopes });
  const token = await tokenOf(one, service);
  expect(await isTaken(other, token)).toBe(true);
  return { service, token };
}

const ends: [string, (service: Service, token: string) => Promise<unknown>][] = [
  ['deactivated', (service) => patch(service, { status: 'deactivated' })],
  ['deleted', ({ name }) => both()[0].api.delete(`/v1/services/${name}`, { token: bossToken })],
  [
    'given a new secret with `?revoke=true`',
    ({ name }) => both()[0].api.post(`/v1/services/${name}/secret?revoke=true`, { token: bossToken }),
  ],
  ['left with fewer scopes', (service) => patch(service, { scopes: ['users:read'] })],
];

describe('of a service that on one replica was', () => {
  test.each(ends)('%s, the other refuses the token at once', async (_, end) => {
    const { service, token } = await known();
    await end(service, token);
    expect(await isTaken(both()[1], token)).toBe(false);
    expect(await isTaken(both()[0], token)).toBe(false);
  });

  test.each(ends)('%s, a replica that has lost its feed refuses the token too', async (_, end) => {
    const { service, token } = await known();
    await cutListeners();
    await end(service, token);
    expect(await isTaken(both()[1], token)).toBe(false);
  });
});

/** Cuts the listening connections of both replicas, as a restart of the database would. */
async function cutListeners(): Promise<void> {
  await both()[0]
    .app.get(SqlEntityManager)
    .fork()
    .execute(
      `select pg_terminate_backend(pid) from pg_stat_activity
        where application_name = 'gatehouse listener' and datname = current_database()`,
    );
}

test('a token that is issued while a scope is taken has not got it, or is dead', async () => {
  const { service } = await known();
  for (let round = 0; round < 10; round++) {
    await patch(service, { scopes });
    expect((await tokenBy(both()[1], service)).scope).toBe('users:read tokens:introspect');
    const [tokens] = await Promise.all([
      Promise.all(Array.from({ length: 20 }, () => tokenBy(both()[1], service))),
      patch(service, { scopes: ['users:read'] }),
    ]);
    const [one] = both();
    for (const { token, scope } of tokens) {
      expect(await isTaken(one, token), `round ${round}: ${scope}`).toBe(scope === 'users:read');
    }
    expect((await tokenBy(both()[1], service)).scope).toBe('users:read');
    expect(await isTaken(both()[1], (await tokenBy(both()[1], service)).token)).toBe(true);
  }
});

async function tokenBy({ api }: Gatehouse, { headers }: Service): Promise<{ token: string; scope: string }> {
  const body = new URLSearchParams({ grant_type: 'client_credentials' });
  const answer = await api.post('/v1/auth/token', { headers, body });
  return { token: answer.body.access_token, scope: answer.body.scope };
}

test('whoever takes the name of a removed service anew gets tokens that are good on both', async () => {
  const { service, token: old } = await known();
  await both()[0].api.delete(`/v1/services/${service.name}`, { token: bossToken });
  const body = { name: service.name, scopes };
  const { secret } = (await both()[0].api.post('/v1/services', { token: bossToken, body })).body;
  const again = { ...service, headers: { 'x-service-key': `${service.name}.${secret}` } };
  const token = await tokenOf(both()[0], again);
  expect(await isTaken(both()[1], token)).toBe(true);
  expect(await isTaken(both()[1], old)).toBe(false);
});
