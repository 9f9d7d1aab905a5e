import { beforeAll, describe, expect, test } from 'vitest';

import { scopes } from '#libs/platform/access';

import { newPerson, type Person, signInAdmin } from '../support/people.js';
import { newService, type Service, tokenOf } from '../support/services.js';
import { useGatehouse } from '../support/use-gatehouse.js';

type Operation = { readonly route: string; readonly security: readonly Readonly<Record<string, readonly string[]>>[] };
/** What somebody shows, and what of their own a request may name. */
type Caller = { readonly headers: Record<string, string>; readonly own?: Partial<Person> & { readonly name?: string } };

const gatehouse = useGatehouse({ own: true, environment: { MAIL: 'file', MAIL_FROM: 'id@example.org' } });
let operations: readonly Operation[];
const services = new Map<string, Service>();

beforeAll(async () => {
  const { paths } = (await gatehouse.api.get('/openapi.json')).body;
  operations = Object.entries<Record<string, any>>(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, { security }]) => ({ route: `${method.toUpperCase()} ${path}`, security })),
  );
  const { token } = await signInAdmin(gatehouse);
  const each = scopes.flatMap((scope) => [[scope], scopes.filter((other) => other !== scope)]);
  for (const granted of [[], [...scopes], ...each]) {
    services.set(granted.join(' '), await newService(gatehouse, { token, scopes: granted }));
  }
});

const nobody = '0190a6d4-7f3a-7c8b-9d1e-2f3a4b5c6d7e';
/** What an operation needs so that nothing but the caller is wrong with the request. */
const bodies: Readonly<Record<string, object>> = {
  'POST /v1/auth/introspect': new URLSearchParams({ token: 'a' }),
  'POST /v1/auth/token': new URLSearchParams({ grant_type: 'client_credentials' }),
  'POST /v1/auth/revoke': new URLSearchParams({ token: 'a' }),
  'POST /v1/auth/logout': { refreshToken: 'gtr_unknown' },
  'PATCH /v1/users/{id}': { firstName: 'Eve' },
};
/** A stream that was let in would never end: it is refused for something else. */
const queries: Readonly<Record<string, string>> = { 'GET /v1/auth/revocations/stream': '?cursor=none' };
/** As `bodies`, where a service may ask for something else than people. */
const serviceBodies: Readonly<Record<string, object>> = { 'PATCH /v1/users/{id}': { metadata: { seen: true } } };

/**
 * Whether somebody gets past the guard. They name what is their own, where it
 * is not theirs to name others'.
 */
async function isLetIn(route: string, { headers, own = {} }: Caller): Promise<boolean> {
  const [method = '', template = ''] = route.split(' ');
  const { id = nobody, sessionId = nobody, userName = 'nobody', name = 'nobody' } = own;
  const ids: Readonly<Record<string, string>> = { id, sessionId, userName, name };
  const path = template.replaceAll(/\{(\w+)\}/g, (_, parameter) => ids[parameter] ?? nobody);
  const { status, body } = await gatehouse.api.call(method, path + (queries[route] ?? ''), {
    body: (own.name !== undefined && serviceBodies[route]) || bodies[route],
    headers,
  });
  expect(status, `${route} ${JSON.stringify(body)}`).toBeLessThan(500);
  // a wrong password is an answer to somebody who was let in
  return body.code === 'invalid-credentials' || body.code === 'invalid-refresh-token' || ![401, 403].includes(status);
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const user = async (): Promise<Caller> => {
  const person = await newPerson(gatehouse);
  return { headers: bearer(person.token), own: person };
};
const administrator = async (): Promise<Caller> => {
  const { token, sessionId } = await signInAdmin(gatehouse);
  return { headers: bearer(token), own: { sessionId } };
};
const service = (...granted: readonly string[]): Caller => {
  const { name, headers } = services.get(granted.join(' ')) ?? { name: '', headers: {} };
  return { headers: { ...headers }, own: { name } };
};
const basic = (...granted: readonly string[]): Caller => {
  const { name = '', secret = '' } = services.get(granted.join(' ')) ?? {};
  return { headers: { authorization: `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}` }, own: { name } };
};

const byToken = async (...granted: readonly string[]): Promise<Caller> => {
  const known = services.get(granted.join(' '));
  if (!known) throw new Error('no such service');
  return { headers: bearer(await tokenOf(gatehouse, known)), own: { name: known.name } };
};

const isOpen = ({ security }: Operation): boolean =>
  security.length === 0 || security.some((way) => Object.keys(way).length === 0);
/**
 * The roles or scopes of which one is asked for where this scheme is a
 * way in; nothing where it is none.
 */
const asked = ({ security }: Operation, scheme: string): readonly string[] | undefined => {
  const ways = security.map((way) => way[scheme]).filter((way) => way !== undefined);
  return ways.length > 0 ? ways.flat() : undefined;
};

/** Open to strangers, and to whoever shows this credential without a scope. */
const isOpenTo = (operation: Operation, scheme: string): boolean =>
  isOpen(operation) && !asked(operation, scheme)?.length;

/** Those of the operations that a caller is let in at, and those at which the document says so. */
async function compare(
  make: () => Caller | Promise<Caller>,
  isSaid: (operation: Operation) => boolean,
  chosen: readonly Operation[] = operations,
): Promise<{ readonly seen: readonly string[]; readonly said: readonly string[] }> {
  const seen: string[] = [];
  let caller = await make();
  // one after the other: whoever was let in to change something may
  // have ended the own session with it
  for (const { route } of chosen) {
    if (!(await isLetIn(route, caller))) continue;
    seen.push(route);
    if (!route.startsWith('GET ')) caller = await make();
  }
  return { seen, said: chosen.filter(isSaid).map(({ route }) => route) };
}

describe('the document says of every operation who is let in:', () => {
  test('a caller without credentials', async () => {
    const { seen, said } = await compare(() => ({ headers: {} }), isOpen);
    expect(seen).toEqual(said);
  });

  test('users', async () => {
    const { seen, said } = await compare(user, (each) => isOpen(each) || asked(each, 'accessToken')?.length === 0);
    expect(seen).toEqual(said);
  });

  test('administrators', async () => {
    const { seen, said } = await compare(administrator, (each) => isOpen(each) || !!asked(each, 'accessToken'));
    expect(seen).toEqual(said);
  });

  test('services without a scope', async () => {
    const { seen, said } = await compare(
      () => service(),
      (each) => isOpenTo(each, 'serviceKey') || asked(each, 'serviceKey')?.length === 0,
    );
    expect(seen).toEqual(said);
  });

  test('services with all scopes', async () => {
    const { seen, said } = await compare(
      () => service(...scopes),
      (each) => isOpen(each) || !!asked(each, 'serviceKey'),
    );
    expect(seen).toEqual(said);
  });

  test.each(scopes)('services with the scope %s alone, and with all others', async (scope) => {
    const chosen = operations.filter((each) => asked(each, 'serviceKey')?.includes(scope));
    const alone = await compare(
      () => service(scope),
      () => true,
      chosen,
    );
    expect(alone.seen).toEqual(alone.said);
    const without = chosen.filter((each) => asked(each, 'serviceKey')?.length === 1);
    const others = scopes.filter((other) => other !== scope);
    expect(
      await compare(
        () => service(...others),
        () => false,
        without,
      ),
    ).toEqual({ seen: [], said: [] });
  });

  test('services by HTTP Basic, where OAuth clients come', async () => {
    // elsewhere Basic is a credential that is not good, unless none is looked at
    const looking = operations.filter((each) => each.security.length > 0 && !isOpen(each));
    const { seen, said } = await compare(
      () => basic(...scopes),
      (each) => !!asked(each, 'serviceBasic'),
      looking,
    );
    expect(seen).toEqual(said);
    expect(said).toEqual(['POST /v1/auth/token', 'POST /v1/auth/introspect', 'POST /v1/auth/revoke']);
    for (const route of said) expect(await isLetIn(route, basic()), route).toBe(route === 'POST /v1/auth/token');
  });

  test('services by tokens of their own, without a scope and with all', async () => {
    const without = await compare(
      () => byToken(),
      (each) => isOpenTo(each, 'serviceToken') || asked(each, 'serviceToken')?.length === 0,
    );
    expect(without.seen).toEqual(without.said);
    const all = await compare(
      () => byToken(...scopes),
      (each) => isOpen(each) || !!asked(each, 'serviceToken'),
    );
    expect(all.seen).toEqual(all.said);
  });
});

const securityOf = (route: string) => operations.find((each) => each.route === route)?.security;

test("a service's key reads users, and reading oneself is an operation of its own", () => {
  for (const path of ['{id}', 'by-user-name/{userName}', '{id}/avatar']) {
    expect(securityOf(`GET /v1/users/${path}`)).toEqual([
      { accessToken: [] },
      { serviceKey: ['users:read'] },
      { serviceToken: ['users:read'] },
    ]);
  }
  expect(securityOf('GET /v1/users/me')).toEqual([{ accessToken: [] }]);
});
