import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { KeyRotationService, SigningKeysService } from '#libs/auth';

import type { Answer } from '../support/api.js';
import { freePort } from '../support/free-port.js';
import { signInAdmin } from '../support/people.js';
import { askToken, newService, newTarget, patchService, type Service, tokenOf } from '../support/services.js';
import { takeApart } from '../support/tokens.js';
import { useGatehouse } from '../support/use-gatehouse.js';
import { saidOf, startVerifierGroup, untilHeard, type VerifierGroup } from '../support/verifier-group.js';

const port = String(await freePort());
const gatehouse = useGatehouse({ environment: { PORT: port, PUBLIC_URL: `http://127.0.0.1:${port}` } });
let bossToken: string;
/** Others that check tokens by themselves: those for Gatehouse's own audience, and those for another. */
let verifiers: VerifierGroup;
let verifiersElsewhere: VerifierGroup;
/** Asks about tokens. */
let gateway: Service;

beforeAll(async () => {
  bossToken = (await signInAdmin(gatehouse)).token;
  gateway = await newService(gatehouse, { token: bossToken, scopes: ['tokens:introspect', 'tokens:revoke'] });
  const { audience } = await newTarget(gatehouse, bossToken);
  verifiers = await startVerifierGroup(gatehouse);
  verifiersElsewhere = await startVerifierGroup(gatehouse, { audience });
});
afterAll(async () => {
  await verifiers.close();
  await verifiersElsewhere.close();
});

type Case = { readonly service: Service; readonly token: string; readonly audience: string };

const patch = async ({ name }: Service, ...changes: object[]): Promise<void> => {
  for (const body of changes) {
    const answer = await gatehouse.api.patch(`/v1/services/${name}`, { token: bossToken, body });
    expect(answer.status, answer.text).toBe(200);
  }
};
const rotate = async ({ name }: Service, query = ''): Promise<void> => {
  const answer = await gatehouse.api.post(`/v1/services/${name}/secret${query}`, { token: bossToken });
  expect(answer.status, answer.text).toBe(200);
};
const remove = ({ name }: Service): Promise<Answer> =>
  gatehouse.api.delete(`/v1/services/${name}`, { token: bossToken });
const create = (body: object): Promise<Answer> => gatehouse.api.post('/v1/services', { token: bossToken, body });
const ask = (path: string, token: string): Promise<Answer> =>
  gatehouse.api.post(`/v1/auth/${path}`, { body: new URLSearchParams({ token }), headers: gateway.headers });

const scopes = ['users:read', 'tokens:introspect'];
const events: Record<string, (given: Case) => Promise<unknown>> = {
  'access token revoked (RFC 7009)': ({ token }) => ask('revoke', token),
  deactivated: ({ service }) => patch(service, { status: 'deactivated' }),
  'deactivated, then activated': ({ service }) => patch(service, { status: 'deactivated' }, { status: 'active' }),
  deleted: ({ service }) => remove(service),
  'deleted, and another made with its name': async ({ service: { name } }) => {
    await remove({ name } as Service);
    expect((await create({ name, scopes })).status).toBe(201);
  },
  'secret rotated with `?revoke=true`': ({ service }) => rotate(service, '?revoke=true'),
  'secret rotated': ({ service }) => rotate(service),
  'a scope taken': ({ service }) => patch(service, { scopes: ['users:read'] }),
  'a scope given': ({ service }) => patch(service, { scopes: [...scopes, 'users:write'] }),
  'a permission in its grants taken': ({ service, audience }) =>
    patch(service, { grants: [{ audience, permissions: ['orders:read'] }] }),
  'a permission in its grants given': ({ service, audience }) =>
    patch(service, { grants: [{ audience, permissions: ['orders:read', 'orders:write', 'orders:burn'] }] }),
  'its scopes set to what they are': ({ service }) => patch(service, { scopes: scopes.toReversed() }, { scopes }),
  'plan or description changed': ({ service }) =>
    patch(service, { description: 'A shop' }, { plan: { read: { limit: 9 } } }),
  'signing key retired': async () => {
    const { ring } = gatehouse.app.get(SigningKeysService);
    await gatehouse.app.get(KeyRotationService).retire(ring.signing(Date.now())?.id ?? '', 'operator');
    bossToken = (await signInAdmin(gatehouse)).token;
  },
  'everything revoked': async () => {
    expect((await gatehouse.api.post('/v1/auth/revoke-all', { token: bossToken })).status).toBe(204);
    bossToken = (await signInAdmin(gatehouse)).token;
  },
};

const rows = readFileSync(resolve(import.meta.dirname, '../../docs/revocation-matrix.md'), 'utf8')
  .split('\n## Tokens of services\n', 2)[1]
  ?.split('\n')
  .filter((line) => line.startsWith('| '))
  .map((line) =>
    line
      .slice(2, -2)
      .split(' | ')
      .map((cell) => cell.trim()),
  );
const [header = [], , ...matrix] = rows ?? [];

test('the published matrix has a row for each event that is proved here', () => {
  expect(matrix.map(([event]) => event)).toEqual(Object.keys(events));
});

const isActive = async (token: string): Promise<boolean> => (await ask('introspect', token)).body.active;
const isTaken = async (token: string): Promise<boolean> =>
  (await gatehouse.api.get('/v1/users?limit=1', { token })).status === 200;

test.each(matrix)('%s', async (event = '', ...expected) => {
  const { audience } = verifiersElsewhere;
  const service = await newService(gatehouse, { token: bossToken, scopes });
  await patchService(gatehouse, {
    token: bossToken,
    name: service.name,
    grants: [{ audience, permissions: ['orders:read', 'orders:write'] }],
  });
  const [token, other, elsewhere] = [
    await tokenOf(gatehouse, service),
    await tokenOf(gatehouse, service, { scope: 'users:read' }),
    await tokenOf(gatehouse, service, { resource: audience }),
  ];
  expect([await isTaken(token), await isTaken(other), await isActive(elsewhere)]).toEqual([true, true, true]);
  const saidInVerifiers = (): Promise<string[]> =>
    Promise.all([saidOf(verifiers, token), saidOf(verifiers, other), saidOf(verifiersElsewhere, elsewhere)]);
  // a verdict that was remembered would show afterwards
  expect(await saidInVerifiers()).toEqual(['alive', 'alive', 'alive']);
  await events[event]?.({ service, token, audience });
  await untilHeard(gatehouse, verifiers);
  await untilHeard(gatehouse, verifiersElsewhere);
  const [inEveryVerifier, ...othersInVerifiers] = await saidInVerifiers();
  const states = {
    'this token': await isTaken(token),
    'its other tokens': await isTaken(other),
    'those for other audiences': await isActive(elsewhere),
    key: (await askToken(gatehouse, service.headers)).status === 200,
  };
  // Gatehouse itself and whoever asks it are of one mind
  expect([await isActive(token), await isActive(other)]).toEqual([states['this token'], states['its other tokens']]);
  const found = Object.fromEntries(Object.entries(states).map(([name, isAlive]) => [name, isAlive ? 'alive' : 'dead']));
  const published = Object.fromEntries(header.slice(1).map((name, index) => [name, expected[index]]));
  expect({ ...found, 'in every verifier': inEveryVerifier }).toEqual(published);
  expect(othersInVerifiers).toEqual([published['its other tokens'], published['those for other audiences']]);
});

test('the tokens of whoever takes a name anew are good, and the old ones stay dead', async () => {
  const service = await newService(gatehouse, { token: bossToken, scopes });
  await patch(service, { status: 'deactivated' }, { status: 'active' }, { scopes: ['users:read'] });
  const old = await tokenOf(gatehouse, service);
  await remove(service);
  const created = await create({ name: service.name, scopes });
  const again = { ...service, headers: { 'x-service-key': `${service.name}.${created.body.secret}` } };
  const token = await tokenOf(gatehouse, again);
  expect([await isTaken(token), await isTaken(old)]).toEqual([true, false]);
  expect(takeApart(gatehouse, token).claims['gen']).toBe(3);
});

test.each([
  ['deactivated', 'service-deactivated'],
  ['deleted', 'service-deleted'],
  ['a scope taken', 'revoked'],
])('of a service %s, the explanation says why', async (event, reason) => {
  const service = await newService(gatehouse, { token: bossToken, scopes });
  const token = await tokenOf(gatehouse, service);
  await events[event]?.({ service, token, audience: '' });
  const { body } = await gatehouse.api.post('/v1/auth/explain', { token: bossToken, body: { token } });
  const cause = reason === 'revoked' ? 'service-changed' : reason;
  expect(body).toMatchObject({ isAccepted: false, reason, cause, service: service.name });
  expect(body.detail).toContain(`its service ${service.name} was revoked by ${cause} at `);
});
