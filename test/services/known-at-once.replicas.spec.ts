import { afterAll, beforeAll, expect, test } from 'vitest';

import { copyDatabase, type OwnDatabase } from '../support/copy-database.js';
import { newPerson, type Person, signIn, signInAdmin } from '../support/people.js';
import { claimsOf, newHolder, newRole } from '../support/roles.js';
import { askToken, keyOf, newService, newTarget, type Service, tokenOf } from '../support/services.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';
import { type Proxy, startProxy } from '../support/tcp-proxy.js';

const rounds = Array.from({ length: 6 }, (_, round) => round);

let own: OwnDatabase;
let way: Proxy;
let [here, there]: Gatehouse[] = [];
let token: string;
let person: Person;

beforeAll(async () => {
  own = await copyDatabase();
  here = await startGatehouse({}, own);
  // what it hears of it reads later than whoever makes a change waits
  way = await startProxy(own.environment['DATABASE_URL'] ?? '', { askedLateMs: 20 });
  there = await startGatehouse({}, { ...own, environment: { ...own.environment, DATABASE_URL: way.url } });
  token = (await signInAdmin(here)).token;
  person = await newPerson(here);
});
afterAll(async () => {
  await here?.stop();
  await there?.stop();
  await way.cut();
  await own.drop();
});

function both(): readonly [Gatehouse, Gatehouse] {
  if (!here || !there) throw new Error('not started');
  return [here, there];
}

const patch = async (name: string, body: object): Promise<void> => {
  const [one] = both();
  expect((await one.api.patch(`/v1/services/${name}`, { token, body })).status).toBe(200);
};
const listThere = ({ headers }: Pick<Service, 'headers'>) => both()[1].api.get('/v1/users?limit=1', { headers });
const statusThere = async (service: Pick<Service, 'headers'>) => (await listThere(service)).status;
const reader = () => newService(both()[0], { token, scopes: ['users:read'] });
/** What each round saw, for one comparison that shows all of them. */
async function inEachRound<T>(play: (round: number) => Promise<T>): Promise<T[]> {
  const seen: T[] = [];
  for (const round of rounds) seen.push(await play(round));
  return seen;
}
const always = <T>(value: T): T[] => rounds.map(() => value);

test('the key of a service that was just made on one replica is good on the other', async () => {
  expect(await inEachRound(async () => statusThere(await reader()))).toEqual(always(200));
});

test('a secret that was just rotated on one replica is good on the other', async () => {
  const { name } = await reader();
  const seen = await inEachRound(async () => {
    const { secret } = (await both()[0].api.post(`/v1/services/${name}/secret`, { token })).body;
    return statusThere({ headers: keyOf(name, secret) });
  });
  expect(seen).toEqual(always(200));
});

test('a secret that just ended on one replica is refused by the other', async () => {
  let service = await reader();
  const seen = await inEachRound(async () => {
    const { name, headers } = service;
    const { secret } = (await both()[0].api.post(`/v1/services/${name}/secret?revoke=true`, { token })).body;
    service = { ...service, headers: keyOf(name, secret) };
    return [await statusThere({ headers }), await statusThere(service)];
  });
  expect(seen).toEqual(always([401, 200]));
});

test('scopes that a service was just given or has just lost on one replica count on the other', async () => {
  const service = await reader();
  const seen = await inEachRound(async () => {
    await patch(service.name, { scopes: [] });
    const without = await statusThere(service);
    await patch(service.name, { scopes: ['users:read'] });
    return [without, await statusThere(service)];
  });
  expect(seen).toEqual(always([403, 200]));
});

test('a plan that was just changed on one replica counts on the other', async () => {
  const service = await reader();
  const seen = await inEachRound(async (round) => {
    await patch(service.name, { plan: { read: { limit: 1_000 + round } } });
    return (await listThere(service)).headers.get('ratelimit-policy');
  });
  expect(seen).toEqual(rounds.map((round) => `"service-read";q=${1_000 + round};w=60`));
});

test('a service that was just deactivated or activated on one replica is so on the other', async () => {
  const service = await reader();
  const seen = await inEachRound(async () => {
    await patch(service.name, { status: 'deactivated' });
    const without = await statusThere(service);
    await patch(service.name, { status: 'active' });
    return [without, await statusThere(service)];
  });
  expect(seen).toEqual(always([401, 200]));
});

test('an audience that was just registered on one replica is one to sign in for on the other', async () => {
  const seen = await inEachRound(async () => {
    const [one, other] = both();
    const { audience } = await newTarget(one, token);
    const { userName, password } = person;
    return (await other.api.post('/v1/auth/login', { body: { userName, password, audience } })).status;
  });
  expect(seen).toEqual(always(200));
});

test('what a service was just granted on one replica is in its tokens of the other', async () => {
  const [one, other] = both();
  const [service, { audience }] = [await reader(), await newTarget(one, token)];
  const seen = await inEachRound(async (round) => {
    await patch(service.name, { grants: [{ audience, permissions: [`orders:${round}`] }] });
    return (await askToken(other, service.headers, { resource: audience })).body.scope;
  });
  expect(seen).toEqual(rounds.map((round) => `orders:${round}`));
});

test('a token that is asked for on the other replica right after a change is good on both', async () => {
  const service = await reader();
  const seen = await inEachRound(async (round) => {
    const [, other] = both();
    await patch(service.name, { scopes: round % 2 === 0 ? ['users:read', 'messages:read'] : ['users:read'] });
    const issued = await tokenOf(other, service);
    const answers = both().map(({ api }) => api.get('/v1/users?limit=1', { token: issued }));
    return (await Promise.all(answers)).map(({ status }) => status);
  });
  expect(seen).toEqual(always([200, 200]));
});

test('what a role was just changed to on one replica is in tokens of the other, which are good on both', async () => {
  const [one, other] = both();
  const name = await newRole(one, { token });
  const holder = await newHolder(one, name);
  const seen = await inEachRound(async (round) => {
    await one.api.patch(`/v1/roles/${name}`, { token, body: { permissions: [`orders:${round}`] } });
    const issued = (await signIn(other, holder)).token;
    const answers = both().map(({ api }) => api.get('/v1/users/me', { token: issued }));
    return [...claimsOf(issued).permissions, ...(await Promise.all(answers)).map(({ status }) => status)];
  });
  expect(seen).toEqual(rounds.map((round) => [`orders:${round}`, 200, 200]));
});
