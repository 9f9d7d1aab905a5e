import { beforeAll, expect, test } from 'vitest';

import { scopes } from '#libs/platform/access';

import { ask } from '../support/graphql.js';
import { newPerson, type Person, registration, signInAdmin } from '../support/people.js';
import { claimsOf, newHolder, newRole } from '../support/roles.js';
import { useGatehouse } from '../support/use-gatehouse.js';

/** What somebody might take for the right to do something at Gatehouse itself. */
const grand = [...scopes, 'admin', 'user', '*', 'roles:write', 'users:*', 'services:write', 'audit:read', 'root'];

const gatehouse = useGatehouse({ own: true });
let roles: readonly string[];
let victim: Person;

beforeAll(async () => {
  const { token } = await signInAdmin(gatehouse);
  roles = await Promise.all(
    ['administrator', 'superuser', 'root', 'users'].map((name) =>
      newRole(gatehouse, { token, name, permissions: grand }),
    ),
  );
  victim = await newPerson(gatehouse);
});

type Outcome = { readonly text: string; readonly isDone: boolean };
type Make = () => Promise<Person>;

const plainUser: Make = () => newPerson(gatehouse);
const grandUser: Make = () => newHolder(gatehouse, ...roles);

/** What each operation answers. Whoever has changed something may have ended the own token. */
async function walk<Operation>(
  make: Make,
  operations: readonly Operation[],
  tried: (operation: Operation, caller: Person) => Promise<Outcome>,
): Promise<readonly string[]> {
  const outcomes: string[] = [];
  let caller = await make();
  for (const operation of operations) {
    const { text, isDone } = await tried(operation, caller);
    outcomes.push(text);
    if (isDone) caller = await make();
  }
  return outcomes;
}

const forms = new Set(['POST /v1/auth/introspect', 'POST /v1/auth/revoke']);
/** Fit for their operation, so that nothing but the caller is wrong with the request. */
const bodies: Readonly<Record<string, () => object>> = {
  'POST /v1/users': () => registration({ roles: ['user', 'admin'] }),
  'PATCH /v1/users/{id}': () => ({ firstName: 'Eve' }),
  'POST /v1/invitations': () => ({ email: 'guest@example.org' }),
  'POST /v1/roles': () => ({ name: 'mine', permissions: [] }),
  'PATCH /v1/roles/{name}': () => ({ permissions: ['more'] }),
  'POST /v1/services': () => ({ name: 'mine', scopes: [] }),
  'PATCH /v1/services/{name}': () => ({ scopes: [] }),
  'PUT /v1/users/{id}/password': () => ({ password: 'eight brown bottles' }),
  'POST /v1/auth/explain': () => ({ token: 'a' }),
};

async function overRest(route: string, { token }: Person): Promise<Outcome> {
  const [method = '', template = ''] = route.split(' ');
  const ids: Readonly<Record<string, string>> = {
    '{id}': victim.id,
    '{sessionId}': victim.sessionId,
    '{userName}': victim.userName,
    '{name}': 'administrator',
  };
  const path = template.replaceAll(/\{\w+\}/g, (name) => ids[name] ?? victim.id);
  const body = forms.has(route) ? new URLSearchParams({ token: 'a' }) : bodies[route]?.();
  const answer = await gatehouse.api.call(method, path, { token, body });
  const isDone = answer.status < 300 && method !== 'GET';
  return { text: `${route} ${answer.status} ${answer.body.code ?? ''}`, isDone };
}

test('permissions with the names of our scopes open no operation of REST', async () => {
  const { paths } = (await gatehouse.api.get('/openapi.json')).body;
  const routes = Object.entries<object>(paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(claimsOf((await grandUser()).token).permissions).toEqual([...new Set(grand)].toSorted());
  const plain = await walk(plainUser, routes, overRest);
  expect(await walk(grandUser, routes, overRest)).toEqual(plain);
  expect(plain).toContain('POST /v1/roles 403 forbidden');
  expect(plain.filter((text) => text.endsWith(' 403 forbidden')).length).toBeGreaterThan(20);
}, 120_000);

type Type = { readonly kind: string; readonly name: string | null; readonly ofType: Type | null };
type Input = { readonly name: string; readonly type: Type };
type Field = { readonly name: string; readonly type: Type; readonly args: readonly Input[] };
type Named = {
  readonly kind: string;
  readonly name: string;
  readonly fields: readonly Field[] | null;
  readonly inputFields: readonly Input[] | null;
  readonly enumValues: readonly { readonly name: string }[] | null;
};

const typeOf = 'type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }';
const introspection = `{ __schema {
  queryType { name } mutationType { name }
  types { kind name enumValues { name } inputFields { name ${typeOf} } fields { name ${typeOf} args { name ${typeOf} } } }
} }`;

/** Fit values by the names of arguments; others by their type. */
const texts: Readonly<Record<string, () => string>> = {
  id: () => victim.id,
  userId: () => victim.id,
  userName: () => victim.userName,
  name: () => 'administrator',
  password: () => 'wrong',
};

function literal({ name, type }: Input, types: ReadonlyMap<string, Named>): string {
  if (type.kind === 'NON_NULL' && type.ofType) return literal({ name, type: type.ofType }, types);
  if (type.kind === 'LIST' && type.ofType) return `[${literal({ name, type: type.ofType }, types)}]`;
  const found = types.get(type.name ?? '');
  if (type.kind === 'ENUM') return found?.enumValues?.[0]?.name ?? '';
  if (type.kind === 'INPUT_OBJECT') {
    return `{ ${found?.inputFields?.map((field) => `${field.name}: ${literal(field, types)}`).join(', ') ?? ''} }`;
  }
  if (type.name === 'Int') return '1';
  if (type.name === 'Boolean') return 'true';
  return JSON.stringify(texts[name]?.() ?? 'admin');
}

/** Asks for one root field with all of its arguments, or with those that it needs. */
function document(
  kind: string,
  field: Field,
  types: ReadonlyMap<string, Named>,
  isNeeded: (arg: Input) => boolean,
): string {
  const given = field.args.filter(isNeeded).map((arg) => `${arg.name}: ${literal(arg, types)}`);
  let { type } = field;
  while (type.ofType) type = type.ofType;
  const selection = type.kind === 'OBJECT' ? ' { __typename }' : '';
  return `${kind} { ${field.name}${given.length > 0 ? `(${given.join(', ')})` : ''}${selection} }`;
}

async function overGraphql(query: string, { token }: Person): Promise<Outcome> {
  const { status, errors, code } = await ask(gatehouse, query, { token });
  return { text: `${query} ${status} ${code ?? 'allowed'}`, isDone: !errors && query.startsWith('mutation') };
}

test('permissions with the names of our scopes open no query and no mutation of GraphQL', async () => {
  const { __schema: schema } = (await ask(gatehouse, introspection, { token: victim.token })).data;
  const types = new Map<string, Named>(schema.types.map((type: Named) => [type.name, type]));
  const documents = [
    ['query', schema.queryType.name],
    ['mutation', schema.mutationType.name],
  ].flatMap(([kind, name]) =>
    (types.get(name)?.fields ?? []).flatMap((field) => [
      document(kind, field, types, ({ type }) => type.kind === 'NON_NULL'),
      document(kind, field, types, () => true),
    ]),
  );
  const plain = await walk(plainUser, documents, overGraphql);
  expect(await walk(grandUser, documents, overGraphql)).toEqual(plain);
  expect(plain.filter((text) => text.endsWith(' 200 forbidden')).length).toBeGreaterThan(15);
  expect(plain.filter((text) => /invalid-query|malformed-query/.test(text))).toEqual([]);
}, 120_000);

test('nor do roles with grand names make anybody read or change the victim', async () => {
  const { token } = await grandUser();
  expect((await gatehouse.api.get(`/v1/users/${victim.id}`, { token })).status).toBe(403);
  expect((await gatehouse.api.get('/v1/users/me', { token: victim.token })).status).toBe(200);
});
