import { SqlEntityManager } from '@mikro-orm/sql';
import { decodeJwt } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';

import { isAccepted, newPerson, type Person, signIn, signInAdmin } from '../support/people.js';
import { type Answer } from '../support/api.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse();
let person: Person;

beforeAll(async () => {
  person = await newPerson(gatehouse);
});

const refresh = (refreshToken: string): Promise<Answer> =>
  gatehouse.api.post('/v1/auth/refresh', { body: { refreshToken } });

/** Moves a session into the past, as if that much time had gone by. */
async function age(sessionId: string, seconds: number, columns = ['last_used_at', 'created_at']): Promise<void> {
  const em = gatehouse.app.get(SqlEntityManager).fork();
  const changes = columns.map((column) => `${column} = ${column} - make_interval(secs => ?)`);
  const values = [...columns.map(() => seconds), sessionId];
  await em.execute(`update sessions set ${changes.join(', ')} where id = ?`, values);
}

/**
 * Texts that a decoder which is not strict takes for the token, and the token with
 * one letter of its tag changed.
 */
function respellings(token: string): string[] {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const withOther = (at: number): string => {
    const other = alphabet[(alphabet.indexOf(token.charAt(at)) + 1) % 64] ?? '';
    return token.slice(0, at) + other + token.slice(at + 1);
  };
  const tag = Array.from({ length: 22 }, (_, index) => withOther(token.length - 1 - index));
  const head = [4, 20, 30, 40].map(withOther);
  const around = ['=', '==', '.', ' ', '\n', '\r\n', 'A', '%3D'].flatMap((text) => [token + text, text + token]);
  const standard = token.replaceAll('-', '+').replaceAll('_', '/');
  const inside = `${token.slice(0, 50)}\n${token.slice(50)}`;
  return [...tag, ...head, ...around, inside, ...(standard === token ? [] : [standard]), token.toUpperCase()];
}

const auditOf = async (userId: string, event: string): Promise<number> => {
  const rows = await gatehouse.app
    .get(SqlEntityManager)
    .fork()
    .execute<unknown[]>('select 1 from audit_events where user_id = ? and event = ?', [userId, event]);
  return rows.length;
};

describe('refresh', () => {
  test('each use gives the next tokens of the session, and both kinds work', async () => {
    const first = await signIn(gatehouse, person);
    const second = await refresh(first.refreshToken);
    expect(second.status).toBe(200);
    expect(second.body).toMatchObject({ sessionId: first.sessionId, tokenType: 'Bearer', expiresIn: 900 });
    expect(second.body.refreshToken).not.toBe(first.refreshToken);
    expect(await isAccepted(gatehouse, second.body.accessToken)).toBe(true);
    expect((await refresh(second.body.refreshToken)).status).toBe(200);
  });

  test('50 refreshes at once with one token get one child and log nobody out', async () => {
    const { refreshToken } = await signIn(gatehouse, person);
    const answers = await Promise.all(Array.from({ length: 50 }, () => refresh(refreshToken)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    const children = new Set(answers.map(({ body }) => body.refreshToken));
    expect(children.size).toBe(1);
    expect((await refresh(String([...children][0]))).status).toBe(200);
  });

  test('a token that comes again after the grace ends its session, and that is recorded', async () => {
    const stolen = await newPerson(gatehouse);
    const next = await refresh(stolen.refreshToken);
    await age(stolen.sessionId, 11);
    const reused = await refresh(stolen.refreshToken);
    expect([reused.status, reused.body.code]).toEqual([401, 'invalid-refresh-token']);
    expect((await refresh(next.body.refreshToken)).status).toBe(401);
    expect(await isAccepted(gatehouse, next.body.accessToken)).toBe(false);
    expect(await auditOf(stolen.id, 'refresh-token-reused')).toBe(1);
  });

  test('a token made up for a known session is refused and ends nothing', async () => {
    const { refreshToken, token } = await signIn(gatehouse, person);
    await refresh(refreshToken);
    const bytes = Buffer.from(refreshToken.slice(4), 'base64url');
    bytes.writeUInt8((bytes.at(30) ?? 0) ^ 1, 30);
    expect((await refresh(`gtr_${bytes.toString('base64url')}`)).status).toBe(401);
    expect(await isAccepted(gatehouse, token)).toBe(true);
  });

  test('a token of two rotations ago is refused within the grace, and the session lives', async () => {
    const first = await signIn(gatehouse, person);
    const second = await refresh(first.refreshToken);
    const third = await refresh(second.body.refreshToken);
    expect((await refresh(first.refreshToken)).status).toBe(401);
    expect(await isAccepted(gatehouse, third.body.accessToken)).toBe(true);
    expect((await refresh(third.body.refreshToken)).status).toBe(200);
  });

  test.each([
    ['used for longer than the grace, though the one after it was used just now', 1, 11],
    ['three rotations old', 2, 0],
  ])('a token that was %s ends its session', async (_, further, seconds) => {
    const stolen = await newPerson(gatehouse);
    let next = await refresh(stolen.refreshToken);
    await age(stolen.sessionId, seconds);
    for (let count = 0; count < further; count++) next = await refresh(next.body.refreshToken);
    expect((await refresh(stolen.refreshToken)).status).toBe(401);
    expect(await isAccepted(gatehouse, next.body.accessToken)).toBe(false);
    expect(await auditOf(stolen.id, 'refresh-token-reused')).toBe(1);
  });

  test('a token has one spelling: any other is refused and ends nothing', async () => {
    const { refreshToken, token } = await signIn(gatehouse, person);
    const others = respellings(refreshToken);
    const answers = await Promise.all(others.map((text) => refresh(text)));
    expect(answers.map(({ status }) => status)).toEqual(others.map(() => 401));
    expect(await isAccepted(gatehouse, token)).toBe(true);
    expect((await refresh(refreshToken)).status).toBe(200);
  });

  test.each([
    ['absolute', 2_592_000],
    ['idle', 604_800],
  ])('neither token outlives the %s end of its session', async (kind, seconds) => {
    const { refreshToken, sessionId } = await signIn(gatehouse, person);
    await age(sessionId, seconds - 100, kind === 'absolute' ? ['created_at'] : undefined);
    const { body } = await refresh(refreshToken);
    const { exp = 0, iat = 0 } = decodeJwt(body.accessToken);
    expect(exp - iat).toBe(body.expiresIn);
    if (kind === 'idle') expect([body.expiresIn, body.refreshExpiresIn]).toEqual([900, 604_800]);
    else {
      expect(body.expiresIn).toBeLessThanOrEqual(100);
      expect(body.expiresIn).toBeGreaterThan(50);
      expect(body.refreshExpiresIn).toBeLessThanOrEqual(100);
    }
  });

  test.each([
    ['is idle for longer than it may', 604_801],
    ['is older than it may be', 2_592_001],
  ])('a session that %s is over', async (_, seconds) => {
    const { refreshToken, sessionId } = await signIn(gatehouse, person);
    await age(sessionId, seconds);
    expect((await refresh(refreshToken)).status).toBe(401);
  });

  test.each([
    ['', 400, 'invalid-request'],
    ['gtr_', 401, 'invalid-refresh-token'],
    ['nonsense', 401, 'invalid-refresh-token'],
    [`gtr_${'A'.repeat(91)}`, 401, 'invalid-refresh-token'],
    [`gtr_${'A'.repeat(92)}`, 401, 'invalid-refresh-token'],
  ])('a refresh token of %j is refused with %i %s', async (text, status, code) => {
    const answer = await refresh(text);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });
});

const logout = (body: unknown, token?: string, headers?: Record<string, string>): Promise<Answer> =>
  gatehouse.api.post('/v1/auth/logout', { body, token, ...(headers && { headers }) });
const graphql = (query: string, token?: string): Promise<Answer> =>
  gatehouse.api.post('/graphql', { body: { query }, token });

describe('log-out', () => {
  test.each([
    ['without an access token', undefined],
    ['with an access token that is none', 'garbage'],
  ])('a refresh token alone ends its session, %s', async (_, token) => {
    const me = await newPerson(gatehouse);
    const other = await signIn(gatehouse, me);
    expect((await logout({ refreshToken: me.refreshToken }, token)).status).toBe(204);
    expect([await isAccepted(gatehouse, me.token), await isAccepted(gatehouse, other.token)]).toEqual([false, true]);
    expect((await refresh(me.refreshToken)).status).toBe(401);
    expect(await auditOf(me.id, 'logged-out')).toBe(1);
  });

  test('a used refresh token ends its session too, also over GraphQL', async () => {
    const me = await newPerson(gatehouse);
    await refresh(me.refreshToken);
    const query = `mutation { logout(refreshToken: ${JSON.stringify(me.refreshToken)}) }`;
    expect((await graphql(query)).body).toEqual({ data: { logout: true } });
    expect(await isAccepted(gatehouse, me.token)).toBe(false);
  });

  test('with the tokens of two sessions both sessions end', async () => {
    const me = await newPerson(gatehouse);
    const other = await signIn(gatehouse, me);
    expect((await logout({ refreshToken: other.refreshToken }, me.token)).status).toBe(204);
    expect([await isAccepted(gatehouse, me.token), await isAccepted(gatehouse, other.token)]).toEqual([false, false]);
  });

  test('a refresh token that is not ours is answered like one that is, and ends nothing', async () => {
    const { token, refreshToken } = await signIn(gatehouse, person);
    for (const text of ['nonsense', `${refreshToken.slice(0, -3)}AAA`, `${refreshToken}=`])
      expect((await logout({ refreshToken: text })).status).toBe(204);
    expect(await isAccepted(gatehouse, token)).toBe(true);
  });

  test.each([
    ['nothing at all', undefined, undefined, 401, 'authentication-required'],
    ['an empty object', {}, undefined, 401, 'authentication-required'],
    ['an access token that is none', undefined, 'garbage', 401, 'invalid-token'],
    ['an empty refresh token', { refreshToken: '' }, undefined, 400, 'invalid-request'],
    ['a refresh token that is no text', { refreshToken: 7 }, undefined, 400, 'invalid-request'],
    ['a field that is not known', { token: 'a' }, undefined, 400, 'invalid-request'],
  ])('%s is refused', async (_, body, token, status, code) => {
    const answer = await logout(body, token);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    if (status === 401) expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
  });

  test('over GraphQL it needs an access or a refresh token as well', async () => {
    const { body } = await graphql('mutation { logout }');
    expect(body.errors[0].extensions.code).toBe('authentication-required');
    const { token } = await signIn(gatehouse, person);
    expect((await graphql('mutation { logout }', token)).body).toEqual({ data: { logout: true } });
    expect(await isAccepted(gatehouse, token)).toBe(false);
  });

  test("a service's key that is given must be good", async () => {
    const { refreshToken } = await signIn(gatehouse, person);
    const answer = await logout({ refreshToken }, undefined, { 'x-service-key': 'nobody-here.wrong' });
    expect([answer.status, answer.body.code]).toEqual([401, 'invalid-service-key']);
    expect((await refresh(refreshToken)).status).toBe(200);
  });
});

describe('the list of sessions', () => {
  test('shows where one is signed in, the asking one marked, and nothing of others', async () => {
    const me = await newPerson(gatehouse);
    const other = await signIn(gatehouse, me);
    const { body } = await gatehouse.api.get('/v1/auth/sessions', { token: other.token });
    expect(body.items).toHaveLength(2);
    expect(body.items.filter((item: any) => item.isCurrent).map((item: any) => item.id)).toEqual([other.sessionId]);
    expect(body.items[0]).toMatchObject({ ip: '127.0.0.1', userAgent: 'node' });
  });

  test('one session ends alone; a stranger cannot end it', async () => {
    const me = await newPerson(gatehouse);
    const other = await signIn(gatehouse, me);
    const path = `/v1/auth/sessions/${other.sessionId}`;
    expect((await gatehouse.api.delete(path, { token: person.token })).status).toBe(404);
    expect(await isAccepted(gatehouse, other.token)).toBe(true);
    expect((await gatehouse.api.delete(path, { token: me.token })).status).toBe(204);
    expect(await isAccepted(gatehouse, other.token)).toBe(false);
    expect((await refresh(other.refreshToken)).status).toBe(401);
    expect(await isAccepted(gatehouse, me.token)).toBe(true);
  });

  test('all others end, the asking one stays', async () => {
    const me = await newPerson(gatehouse);
    const other = await signIn(gatehouse, me);
    expect((await gatehouse.api.delete('/v1/auth/sessions?except=current', { token: me.token })).status).toBe(204);
    expect([await isAccepted(gatehouse, other.token), await isAccepted(gatehouse, me.token)]).toEqual([false, true]);
  });

  test('an administrator sees and ends the sessions of a user; a plain user may not', async () => {
    const boss = await signInAdmin(gatehouse);
    const me = await newPerson(gatehouse);
    const path = `/v1/auth/sessions?userId=${me.id}`;
    expect((await gatehouse.api.get(path, { token: person.token })).status).toBe(403);
    expect((await gatehouse.api.get(path, { token: boss.token })).body.items).toHaveLength(1);
    expect((await gatehouse.api.delete(path, { token: boss.token })).status).toBe(204);
    expect(await isAccepted(gatehouse, me.token)).toBe(false);
  });
});
