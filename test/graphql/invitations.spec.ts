import { randomUUID } from 'node:crypto';

import { beforeAll, expect, test } from 'vitest';

import { ask, type GraphAnswer } from '../support/graphql.js';
import { newAddress, tokenOf } from '../support/invitations.js';
import { signIn, signInAdmin, uniqueName } from '../support/people.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse({ own: true });
let token: string;

beforeAll(async () => {
  token = (await signInAdmin(gatehouse)).token;
});

const document = `mutation ($input: NewInvitation!) { invite(input: $input) {
  id email roles firstName lastName createdAt expiresAt url } }`;
const invite = (input: object, headers: Record<string, string> = {}, query = document): Promise<GraphAnswer> =>
  ask(gatehouse, query, { token, variables: { input }, headers });

test('an invitation is made, accepted and withdrawn as over REST', async () => {
  const input = { email: newAddress(), roles: ['user', 'admin'], firstName: 'Grace', lastName: 'Hopper' };
  const { id, url, createdAt, expiresAt, ...rest } = (await invite(input)).data.invite;
  expect(rest).toEqual(input);
  const { body } = await gatehouse.api.get(`/v1/invitations/${id}`, { token });
  expect(body).toEqual({ id, ...input, createdAt, expiresAt });
  const userName = uniqueName('guest');
  const acceptance = { token: tokenOf(url), userName, password: 'seven green bottles' };
  const accept = `mutation ($input: InvitationAcceptance!) { acceptInvitation(input: $input) { userName email roles } }`;
  const accepted = await ask(gatehouse, accept, { variables: { input: acceptance } });
  expect(accepted.data.acceptInvitation).toEqual({ userName, email: input.email, roles: input.roles });
  await signIn(gatehouse, acceptance);
  expect((await ask(gatehouse, accept, { variables: { input: acceptance } })).code).toBe('invalid-confirmation');
  const other = (await invite({ email: newAddress() })).data.invite;
  const withdraw = `mutation { withdrawInvitation(id: "${other.id}") }`;
  expect((await ask(gatehouse, withdraw, { token })).data).toEqual({ withdrawInvitation: true });
  expect((await ask(gatehouse, withdraw, { token })).code).toBe('invitation-not-found');
});

test('pages follow each other', async () => {
  const made: string[] = [];
  for (let count = 0; count < 5; count++) made.push((await invite({ email: newAddress() })).data.invite.id);
  const query = `query ($after: String) { invitations(first: 2, after: $after) {
    nodes { id } edges { cursor node { id } } pageInfo { hasNextPage endCursor } } }`;
  const seen: string[] = [];
  for (let after: string | null = null; ;) {
    const { nodes, edges, pageInfo }: any = (await ask(gatehouse, query, { token, variables: { after } })).data
      .invitations;
    expect(edges.map(({ node }: any) => node)).toEqual(nodes);
    expect(edges.at(-1).cursor).toBe(pageInfo.endCursor);
    seen.push(...nodes.map(({ id }: { id: string }) => id));
    if (!pageInfo.hasNextPage) break;
    after = pageInfo.endCursor;
  }
  expect(seen.slice(0, 5)).toEqual(made.toReversed());
  expect(new Set(seen).size).toBe(seen.length);
});

test('invite with an Idempotency-Key makes one invitation, and takes one key for one', async () => {
  const [headers, input] = [{ 'idempotency-key': randomUUID() }, { email: newAddress() }];
  const answers = [await invite(input, headers), await invite(input, headers)];
  expect(answers[1]?.data).toEqual(answers[0]?.data);
  expect(answers[1]?.headers.get('idempotency-replayed')).toBe('true');
  const twice = 'mutation ($input: NewInvitation!) { invite(input: $input) { id } b: invite(input: $input) { id } }';
  expect((await invite(input, headers, twice)).code).toBe('invalid-idempotency-key');
});
