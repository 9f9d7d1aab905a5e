import { SqlEntityManager } from '@mikro-orm/sql';
import { beforeAll, expect, test } from 'vitest';

import { isAccepted, newPerson, signIn, signInAdmin } from '../support/people.js';
import { claimsOf, newHolder, newRole, permissionNames } from '../support/roles.js';
import type { Gatehouse } from '../support/start-gatehouse.js';
import { useReplicas } from '../support/use-gatehouse.js';

const { both } = useReplicas();
let token: string;

beforeAll(async () => {
  const [here] = both();
  token = (await signInAdmin(here)).token;
});

const patchRole = ({ api }: Gatehouse, name: string, permissions: string[]) =>
  api.patch(`/v1/roles/${name}`, { token, body: { permissions } });
const give = ({ api }: Gatehouse, id: string, roles: string[]) =>
  api.patch(`/v1/users/${id}`, { token, body: { roles } });

test('a change on one replica ends the tokens on the other, and no others', async () => {
  const [one, other] = both();
  const [changed, kept] = [await newRole(one, { token }), await newRole(one, { token })];
  const [holder, keeper, plain] = [await newHolder(one, changed), await newHolder(one, kept), await newPerson(one)];
  const tokens = [holder, keeper, plain].map((person) => person.token);
  const states = () => Promise.all(tokens.map((each) => isAccepted(other, each)));
  expect(await states()).toEqual([true, true, true]);
  expect((await patchRole(one, changed, ['a'])).status).toBe(200);
  expect(await states()).toEqual([false, true, true]);
  const fresh = await signIn(other, holder);
  expect(claimsOf(fresh.token).permissions).toEqual(['a']);
  expect(await isAccepted(one, fresh.token)).toBe(true);
});

test('a role that was made on one replica can be given on the other at once', async () => {
  const [one, other] = both();
  for (let round = 0; round < 5; round++) {
    const name = await newRole(one, { token, permissions: ['a'] });
    const person = await newPerson(other);
    expect((await give(other, person.id, ['user', name])).status).toBe(200);
    expect(claimsOf((await signIn(other, person)).token)).toMatchObject({ roles: ['user', name], permissions: ['a'] });
  }
});

test('whoever signs in while roles change never has a good token with old permissions', async () => {
  const [one, other] = both();
  const name = await newRole(one, { token, permissions: ['v0'] });
  const holder = await newHolder(one, name);
  for (let version = 1; version <= 15; version++) {
    const [sessions, changed] = await Promise.all([
      Promise.all([signIn(one, holder), signIn(other, holder)]),
      patchRole(one, name, [`v${version}`]),
    ]);
    expect(changed.status).toBe(200);
    for (const { token: issued } of sessions) {
      const isCurrent = claimsOf(issued).permissions[0] === `v${version}`;
      for (const replica of [one, other]) expect((await isAccepted(replica, issued)) && !isCurrent).toBe(false);
    }
  }
});

test('a role that is changed while it is given never adds up to more than fits a token', async () => {
  const [one, other] = both();
  const outcomes = new Set<string>();
  for (let round = 0; round < 12; round++) {
    const big = await newRole(one, { token, permissions: permissionNames(150, 'orders') });
    const small = await newRole(one, { token });
    const { id } = await newPerson(one);
    const [given, changed] = await Promise.all([
      give(one, id, ['user', big, small]),
      patchRole(other, small, permissionNames(150, 'invoices')),
    ]);
    expect([
      [200, 422],
      [422, 200],
    ]).toContainEqual([given.status, changed.status]);
    outcomes.add(given.status === 200 ? 'given' : 'changed');
  }
  expect(outcomes.size).toBeGreaterThan(0);
});

test('a role that is removed while it is given is with nobody who can use it', async () => {
  const [one, other] = both();
  for (let round = 0; round < 12; round++) {
    const name = await newRole(one, { token, permissions: ['a'] });
    const person = await newPerson(one);
    const [given, removed] = await Promise.all([
      give(one, person.id, ['user', name]),
      other.api.delete(`/v1/roles/${name}`, { token }),
    ]);
    expect([
      [200, 409],
      [400, 204],
    ]).toContainEqual([given.status, removed.status]);
  }
});

test('whoever changes and gives roles at once waits for nobody who waits for them', async () => {
  const [one, other] = both();
  const names = await Promise.all([1, 2].map(() => newRole(one, { token })));
  const people = await Promise.all([1, 2, 3, 4].map(() => newPerson(one)));
  for (let round = 0; round < 8; round++) {
    const roles = round % 2 === 0 ? ['user', ...names] : ['user'];
    const answers = await Promise.all([
      ...people.map(({ id }, index) => give(index % 2 === 0 ? one : other, id, roles)),
      ...names.map((name, index) => patchRole(index % 2 === 0 ? other : one, name, [`p${round}`])),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200]);
  }
  const counted = 'select deadlocks::int from pg_stat_database where datname = current_database()';
  const [row] = await one.app.get(SqlEntityManager).fork().execute<{ deadlocks: number }[]>(counted);
  expect(row?.deadlocks).toBe(0);
});
