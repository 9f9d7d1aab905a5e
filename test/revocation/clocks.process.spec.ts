import { afterAll, beforeAll, expect, test } from 'vitest';

import { type Api, createApi } from '../support/api.js';
import { copyDatabase, type OwnDatabase } from '../support/copy-database.js';
import { admin, isAccepted, newPerson, type Person, signIn, signInAdmin } from '../support/people.js';
import { clockOffBy, type Process, spawnGatehouse } from '../support/spawn-gatehouse.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';

type Replica = Process & { readonly api: Api };

const minutes = 20;
let own: OwnDatabase;
let right: Gatehouse;
let slow: Replica;
let fast: Replica;

async function startOff(milliseconds: number): Promise<Replica> {
  const replica = await spawnGatehouse({
    ...own.environment,
    PUBLIC_URL: 'http://gatehouse.test',
    ADMIN_PASSWORD: admin.password,
    NODE_OPTIONS: clockOffBy(milliseconds),
  });
  return { ...replica, api: await createApi(replica.url) };
}

beforeAll(async () => {
  own = await copyDatabase();
  right = await startGatehouse({}, own);
  [slow, fast] = await Promise.all([startOff(-minutes * 60_000), startOff(minutes * 60_000)]);
});
afterAll(async () => {
  for (const { kill, ended } of [slow, fast]) {
    kill('SIGKILL');
    await ended;
  }
  await right.stop();
  await own.drop();
});

const replicas = (): Pick<Gatehouse, 'api'>[] => [right, slow, fast];
const acceptedBy = (token: string): Promise<boolean[]> =>
  Promise.all(replicas().map(({ api }) => isAccepted({ ...right, api }, token)));
const nowhere = [false, false, false];
const everywhere = [true, true, true];

test('a replica whose clock is off by more than a minute is not ready, and says by how much', async () => {
  const ready = await Promise.all(replicas().map(({ api }) => api.get('/health/ready')));
  expect(ready.map(({ status }) => status)).toEqual([200, 503, 503]);
  expect(slow.output()).toContain(`the clock of this replica is ${minutes * 60} s behind the database's`);
  expect(fast.output()).toContain(`the clock of this replica is ${minutes * 60} s ahead of the database's`);
  expect(slow.output().split('the clock of this replica').length).toBe(2);
});

test.for([
  ['slow', () => slow],
  ['fast', () => fast],
] as const)('what ends at one that is %s is over everywhere', async ([, one]) => {
  const boss = (await signInAdmin({ ...right, api: one().api })).token;
  const deactivated = await newPerson(right);
  expect(await acceptedBy(deactivated.token)).toEqual(everywhere);
  await one().api.patch(`/v1/users/${deactivated.id}`, { token: boss, body: { status: 'deactivated' } });
  await expect.poll(() => acceptedBy(deactivated.token)).toEqual(nowhere);
  const loggedOut = await newPerson(right);
  await one().api.post('/v1/auth/logout', { token: loggedOut.token });
  await expect.poll(() => acceptedBy(loggedOut.token)).toEqual(nowhere);
});

test.for([
  ['slow', () => slow],
  ['fast', () => fast],
] as const)('a token from one that is %s is good everywhere, and ends everywhere', async ([, one]) => {
  const person: Person = await newPerson(right);
  const { token } = await signIn({ ...right, api: one().api }, person);
  expect(await acceptedBy(token)).toEqual(everywhere);
  await right.api.post('/v1/auth/logout', { token });
  await expect.poll(() => acceptedBy(token)).toEqual(nowhere);
});
