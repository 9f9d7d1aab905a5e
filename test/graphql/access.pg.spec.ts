import { beforeAll, expect, test } from 'vitest';

import { ask } from '../support/graphql.js';
import { newPerson, signInAdmin } from '../support/people.js';
import { newService, type Service } from '../support/services.js';
import { useGatehouse } from '../support/use-gatehouse.js';
import { type Case, cases, nobody, type Sent, type World } from './access-cases.js';

const callers: Readonly<Record<string, (world: World) => Sent>> = {
  nobody: () => ({}),
  'a bad token': () => ({ token: 'garbage' }),
  'a bad key': () => ({ headers: { 'x-service-key': 'nobody.secret' } }),
  'an idle service': ({ idle }) => ({ headers: idle.headers }),
  'a service that reads users': ({ reader }) => ({ headers: reader.headers }),
  'a service that writes users': ({ writer }) => ({ headers: writer.headers }),
  'a stranger': ({ stranger }) => ({ token: stranger.token }),
  'a stranger through a service': ({ stranger, reader }) => ({ token: stranger.token, headers: reader.headers }),
  'the user': ({ victim }) => ({ token: victim.token }),
  'an administrator': ({ adminToken }) => ({ token: adminToken }),
};
const gatehouse = useGatehouse({ own: true });

beforeAll(async () => {
  await newPerson(gatehouse, { email: 'taken@example.org' });
});

async function newWorld(): Promise<World> {
  const { token: adminToken } = await signInAdmin(gatehouse);
  const service = (scopes: readonly string[]): Promise<Service> => newService(gatehouse, { token: adminToken, scopes });
  const [victim, stranger] = [await newPerson(gatehouse), await newPerson(gatehouse)];
  const [reader, writer, idle] = [await service(['users:read']), await service(['users:write']), await service([])];
  return { victim, stranger, adminToken, reader, writer, idle };
}

/** Tries every case as every caller. @returns `case, caller: outcome` of each */
async function walk(tried: (one: Case, sent: Sent, world: World) => Promise<string>): Promise<readonly string[]> {
  const world = await newWorld();
  const outcomes: string[] = [];
  for (const one of cases) {
    for (const [caller, credentials] of Object.entries(callers)) {
      outcomes.push(`${one.name}, ${caller}: ${await tried(one, credentials(world), world)}`);
    }
  }
  return outcomes;
}

const overRest = async (one: Case, sent: Sent, world: World): Promise<string> => {
  const [method, path, body] = one.rest(world);
  const answer = await gatehouse.api.call(method, path, { ...sent, body });
  return answer.status < 300 ? 'allowed' : `${answer.status} ${answer.body.code} ${pathsOf(answer.body.errors)}`;
};

const overGraphql = async (one: Case, sent: Sent, world: World): Promise<string> => {
  const { errors, status } = await ask(gatehouse, one.graph(world), sent);
  expect(status, one.graph(world)).toBe(200);
  const extensions = errors?.[0].extensions;
  return errors ? `${extensions.status} ${extensions.code} ${pathsOf(extensions.errors)}` : 'allowed';
};

/** How REST calls a field that an error of GraphQL names. */
const names: Readonly<Record<string, string>> = { first: 'limit', after: 'cursor', name: 'id', '': 'id' };
const pathsOf = (errors: { path: string }[] = []): string => errors.map(({ path }) => names[path] ?? path).join();

test('who may do what is the same over REST and GraphQL', async () => {
  const rest = await walk(overRest);
  expect(await walk(overGraphql)).toEqual(rest);
  // else the comparison would hold for a service that refuses everything
  expect(rest.filter((outcome) => outcome.endsWith(' allowed')).length).toBeGreaterThan(cases.length / 2);
  expect(rest.filter((outcome) => outcome.includes('403 forbidden')).length).toBeGreaterThan(cases.length);
}, 60_000);

test('the cases use every field of Query and Mutation', async () => {
  const { data } = await ask(
    gatehouse,
    '{ __schema { queryType { fields { name } } mutationType { fields { name } } } }',
  );
  const { queryType, mutationType } = data.__schema;
  const world = { victim: {}, stranger: {} } as World;
  const asked = cases.map(({ graph }) => graph(world)).join(' ');
  const missing = [...queryType.fields, ...mutationType.fields].filter(
    ({ name }) => !new RegExp(`\\b${name}\\b`).test(asked),
  );
  expect(missing).toEqual([]);
});

test('without credentials only what is written here is open', async () => {
  const world = { victim: { id: nobody, sessionId: nobody }, stranger: {} } as World;
  const open = new Set<string>();
  for (const { graph } of cases) {
    const query = graph(world);
    const { code } = await ask(gatehouse, query);
    if (code !== 'authentication-required') open.add(/\{ ?(\w+)/.exec(query)?.[1] ?? '');
  }
  expect([...open].toSorted()).toEqual([
    'acceptInvitation',
    'completeLogin',
    'confirmEmail',
    'confirmPasswordReset',
    'createUser',
    'login',
    'refresh',
    'requestEmailVerification',
    'requestPasswordReset',
  ]);
});
