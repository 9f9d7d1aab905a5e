import { afterAll, beforeAll, expect, test } from 'vitest';

import { registration, signIn, signInAdmin } from '../support/people.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';

type Boss = { readonly id: string; readonly token: string };

let gatehouse: Gatehouse;
let keeper: string;

beforeAll(async () => {
  gatehouse = await startGatehouse();
  keeper = (await signInAdmin(gatehouse)).token;
});
afterAll(async () => {
  await gatehouse.stop();
});

const patch = (id: string, body: object, token: string) => gatehouse.api.patch(`/v1/users/${id}`, { token, body });

async function newBoss(): Promise<Boss> {
  const body = registration({ roles: ['user', 'admin'] });
  const { id } = (await gatehouse.api.post('/v1/users', { token: keeper, body })).body;
  const { token } = await signIn(gatehouse, { userName: String(body['userName']), password: String(body['password']) });
  return { id, token };
}

test('of two administrators who take themselves or each other out at once, one stays', async () => {
  const bosses = [await newBoss(), await newBoss()] as const;
  const [left, right] = bosses;
  await patch('me', { roles: ['user'] }, keeper);
  const ways = [
    () => [patch('me', { roles: ['user'] }, left.token), patch('me', { status: 'deactivated' }, right.token)],
    () => [patch(right.id, { status: 'deactivated' }, left.token), patch(left.id, { roles: ['user'] }, right.token)],
    () => bosses.map(({ token }) => gatehouse.api.delete('/v1/users/me', { token })),
  ];
  const outcomes = await Promise.all((ways[0] ?? (() => []))().map(async (attempt) => (await attempt).status));
  expect(outcomes.toSorted()).toEqual([200, 409]);
});
