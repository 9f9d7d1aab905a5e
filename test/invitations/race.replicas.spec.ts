import { beforeAll, expect, test } from 'vitest';

import { Sql } from '#libs/platform/database';

import type { Answer } from '../support/api.js';
import { accept, newAddress, newInvitation } from '../support/invitations.js';
import { signInAdmin } from '../support/people.js';
import { useReplicas } from '../support/use-gatehouse.js';

const replicas = useReplicas();
let boss: string;

beforeAll(async () => {
  boss = (await signInAdmin(replicas.both()[0])).token;
});

/** Each of the links 100 times in all, on one replica and the other. */
const acceptAtOnce = (tokens: readonly string[]): Promise<Answer[]> =>
  Promise.all(
    Array.from({ length: 100 }, (_, at) => {
      const replica = replicas.both()[at % 2] ?? replicas.both()[0];
      return accept(replica, tokens[Math.floor(at / 2) % tokens.length] ?? '');
    }),
  );

async function expectOne(answers: readonly Answer[], email: string): Promise<void> {
  const codes = answers.map(({ status, body }) => body.code ?? status);
  expect(codes.filter((code) => code === 201)).toHaveLength(1);
  // who comes when the account is there hears of the link or of the address
  expect(codes.filter((code) => ![201, 'invalid-confirmation', 'email-taken'].includes(code))).toEqual([]);
  const rows = await replicas
    .both()[0]
    .app.get(Sql)
    .rows<{ count: number }>({ text: 'select count(*)::int as count from users where email = $1' }, [email]);
  expect(rows).toEqual([{ count: 1 }]);
}

test('of 100 who accept one invitation at once on two replicas, one gets the account', async () => {
  const { token, email } = await newInvitation(replicas.both()[0], boss);
  await expectOne(await acceptAtOnce([token]), email);
});

test('of 100 who accept three invitations to one address at once, one gets the account', async () => {
  const email = newAddress();
  const tokens: string[] = [];
  for (let count = 0; count < 3; count++) {
    tokens.push((await newInvitation(replicas.both()[0], boss, { email })).token);
  }
  await expectOne(await acceptAtOnce(tokens), email);
});

test('an invitation that is withdrawn while it is accepted is either, never both', async () => {
  for (let round = 0; round < 10; round++) {
    const [here, there] = replicas.both();
    const { id, token } = await newInvitation(here, boss);
    const [accepted, withdrawn] = await Promise.all([
      accept(here, token),
      there.api.delete(`/v1/invitations/${id}`, { token: boss }),
    ]);
    expect([
      [201, 404],
      [400, 204],
    ]).toContainEqual([accepted.status, withdrawn.status]);
  }
});
