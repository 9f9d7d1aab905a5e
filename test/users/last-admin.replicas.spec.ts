import { beforeAll, expect, test } from 'vitest';

import type { Answer } from '../support/api.js';
import { registration, signIn, signInAdmin } from '../support/people.js';
import { useGatehouse } from '../support/use-gatehouse.js';

type Boss = { readonly id: string; readonly token: string };
type Way = (self: Boss, other: Boss) => Promise<Answer>;

const gatehouse = useGatehouse({ own: true });
let keeper: Boss;

beforeAll(async () => {
  const { token } = await signInAdmin(gatehouse);
  keeper = { token, id: (await gatehouse.api.get('/v1/users/me', { token })).body.id };
});

async function newBoss(): Promise<Boss> {
  const body = registration({ roles: ['user', 'admin'] });
  const { id } = (await gatehouse.api.post('/v1/users', { token: keeper.token, body })).body;
  const { token } = await signIn(gatehouse, { userName: String(body['userName']), password: String(body['password']) });
  return { id, token };
}

const patch = (id: string, body: object, { token }: Boss) => gatehouse.api.patch(`/v1/users/${id}`, { token, body });
const isBoss = async ({ token }: Boss): Promise<boolean> =>
  (await gatehouse.api.get('/v1/users?limit=1', { token })).status === 200;

test.for<[string, Way]>([
  ['demote themselves', (self) => patch('me', { roles: ['user'] }, self)],
  ['deactivate themselves', (self) => patch('me', { status: 'deactivated' }, self)],
  ['delete themselves', ({ token }) => gatehouse.api.delete('/v1/users/me', { token })],
  ['demote each other', (self, other) => patch(other.id, { roles: ['user'] }, self)],
  ['delete each other', ({ token }, { id }) => gatehouse.api.delete(`/v1/users/${id}`, { token })],
])('of two administrators who %s at once, one stays', async ([, way]) => {
  const bosses = [keeper, await newBoss()] as const;
  const answers = await Promise.all([way(bosses[0], bosses[1]), way(bosses[1], bosses[0])]);
  expect(answers.filter(({ status }) => status < 300)).toHaveLength(1);
  const [first, second] = await Promise.all(bosses.map(isBoss));
  expect([first, second].filter(Boolean)).toHaveLength(1);
  keeper = first === true ? bosses[0] : bosses[1];
});
