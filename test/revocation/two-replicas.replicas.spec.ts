import { SqlEntityManager } from '@mikro-orm/sql';
import { beforeAll, describe, expect, test } from 'vitest';

import { KeyRotationService } from '#libs/auth';

import type { Answer } from '../support/api.js';
import { isAccepted, newPerson, type Person, signIn, signInAdmin } from '../support/people.js';
import { newService } from '../support/services.js';
import { useReplicas } from '../support/use-gatehouse.js';

const { both } = useReplicas();
let person: Person;
let bossToken: string;

beforeAll(async () => {
  const [here] = both();
  person = await newPerson(here);
  bossToken = (await signInAdmin(here)).token;
});

/**
 * Cuts the listening connections of both replicas, as a restart of the
 * database or of the network would.
 */
async function cutListeners(): Promise<void> {
  const [one] = both();
  await one.app
    .get(SqlEntityManager)
    .fork()
    .execute(
      `select pg_terminate_backend(pid) from pg_stat_activity
        where application_name = 'gatehouse listener' and datname = current_database()`,
    );
}

describe('what ends on one replica', () => {
  test.each([
    ['a log-out', ({ token }: Person) => both()[0].api.post('/v1/auth/logout', { token })],
    ['a deletion', ({ token }: Person) => both()[0].api.delete('/v1/users/me', { token })],
    [
      'a deactivation',
      ({ id }: Person) => both()[0].api.patch(`/v1/users/${id}`, { token: bossToken, body: { status: 'deactivated' } }),
    ],
  ])('%s is over on the other within 250 ms', async (_, end) => {
    const [one, other] = both();
    const somebody = await newPerson(one);
    expect(await isAccepted(other, somebody.token)).toBe(true);
    await end(somebody);
    const answeredAt = performance.now();
    // when the last request began that was still accepted; how long that one took is not its fault
    let acceptedAfterMs = 0;
    for (let sentAt = answeredAt; await isAccepted(other, somebody.token); sentAt = performance.now()) {
      acceptedAfterMs = sentAt - answeredAt;
      expect(acceptedAfterMs).toBeLessThan(250);
    }
    expect(await isAccepted(other, somebody.token)).toBe(false);
  });

  test('a revoked token is refused at once by a replica that has lost its feed', async () => {
    const [one, other] = both();
    for (let round = 0; round < 5; round++) {
      const session = await signIn(one, person);
      expect(await isAccepted(other, session.token)).toBe(true);
      await cutListeners();
      await one.api.post('/v1/auth/logout', { token: session.token });
      expect(await isAccepted(other, session.token)).toBe(false);
    }
  });

  test('a replica that gets its feed back has caught up', async () => {
    const [one, other] = both();
    const session = await signIn(one, person);
    await cutListeners();
    await one.api.post('/v1/auth/logout', { token: session.token });
    await expect.poll(() => other.api.get('/health/ready').then(({ status }) => status), { timeout: 15_000 }).toBe(200);
    expect(await isAccepted(other, session.token)).toBe(false);
  });
});

async function countWaiting(): Promise<number | undefined> {
  const em = both()[0].app.get(SqlEntityManager).fork();
  const [row] = await em.execute<{ waiting: number }[]>(
    `select count(*)::int as waiting from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`,
  );
  return row?.waiting;
}

/** Waits until so many connections wait for a lock. */
async function waiting(count: number): Promise<void> {
  await expect.poll(countWaiting, { timeout: 10_000, interval: 10 }).toBeGreaterThanOrEqual(count);
}

const login = (headers: Record<string, string> = {}): Promise<Answer> => {
  const { userName, password } = person;
  return both()[1].api.post('/v1/auth/login', { body: { userName, password }, headers });
};

/** Holds the login at its last step, has something end meanwhile, and gives its answer. */
async function during(end: () => Promise<unknown>, headers: Record<string, string> = {}): Promise<Answer> {
  const held: { login?: Promise<Answer>; end?: Promise<unknown> } = {};
  await both()[0]
    .app.get(SqlEntityManager)
    .fork()
    .transactional(async (em) => {
      await em.execute('select from users where id = ? for update', [person.id]);
      held.login = login(headers);
      await waiting(1);
      held.end = end();
      // it is either done, or waits for the login
      await Promise.race([held.end, waiting(2).catch(() => undefined)]);
    });
  await held.end;
  if (!held.login) throw new Error('not started');
  return held.login;
}

async function expectDead({ status, body }: Answer): Promise<void> {
  if (status !== 200) return expect([401, 503]).toContain(status);
  expect(await isAccepted(both()[0], body.accessToken)).toBe(false);
  const refreshed = await both()[0].api.post('/v1/auth/refresh', { body: { refreshToken: body.refreshToken } });
  expect(refreshed.status).toBe(401);
}

/** Gives somebody that many sessions, all of them used later than the one that is there. */
const addSessions = async ({ id, sessionId }: Person, count: number): Promise<void> => {
  const em = both()[0].app.get(SqlEntityManager).fork();
  await em.execute("update sessions set last_used_at = now() - interval '1 hour' where id = ?", [sessionId]);
  await em.execute(
    `insert into sessions (id, user_id, generation, current_hash)
      select gen_random_uuid(), ?, 0, '\\x00' from generate_series(1, ?)`,
    [id, count],
  );
};

describe('the cap on the sessions of a user', () => {
  test('ends the oldest on the other replica too', async () => {
    const [one, other] = both();
    const somebody = await newPerson(one);
    await addSessions(somebody, 98);
    const hundredth = await signIn(one, somebody);
    expect(await isAccepted(other, somebody.token)).toBe(true);
    await signIn(one, somebody);
    await expect.poll(() => isAccepted(other, somebody.token), { timeout: 5_000 }).toBe(false);
    expect(await isAccepted(other, hundredth.token)).toBe(true);
  });

  test('is kept by logins at once over both replicas, which end no more than needed', async () => {
    const somebody = await newPerson(both()[0]);
    await addSessions(somebody, 99);
    const logins = await Promise.all(both().flatMap((one) => [signIn(one, somebody), signIn(one, somebody)]));
    const accepted = await Promise.all(logins.map(({ token }) => isAccepted(both()[1], token)));
    expect(accepted).toEqual([true, true, true, true]);
    const em = both()[0].app.get(SqlEntityManager).fork();
    const rows = await em.execute('select id from sessions where user_id = ?', [somebody.id]);
    expect(rows).toHaveLength(100);
  });
});

describe('a login that is under way', () => {
  test('does not survive the end of everything', async () => {
    await expectDead(await during(() => both()[0].app.get(KeyRotationService).revokeAll('operator')));
    expect((await login()).status).toBe(200);
    bossToken = (await signInAdmin(both()[0])).token;
  });

  test('does not survive the end of the service that signs in', async () => {
    const { name, headers } = await newService(both()[0], { token: bossToken, scopes: [] });
    const path = `/v1/services/${name}`;
    expect((await login(headers)).status).toBe(200);
    await expectDead(
      await during(() => both()[0].api.patch(path, { token: bossToken, body: { status: 'deactivated' } }), headers),
    );
  });
});

describe('keys and services', () => {
  test('tokens are good on both while keys rotate on one', async () => {
    const [one, other] = both();
    for (let round = 0; round < 5; round++) {
      await one.app.get(KeyRotationService).rotate('at-once', 'operator');
      const { token } = await signIn(one, person);
      expect(await isAccepted(other, token), `round ${round}`).toBe(true);
    }
  });

  test('a service made on one is known on the other, and one that is removed is not', async () => {
    const [one, other] = both();
    const body = { name: 'billing', scopes: ['users:read'] };
    const { secret } = (await one.api.post('/v1/services', { token: bossToken, body })).body;
    const list = (): Promise<number> =>
      other.api.get('/v1/users', { headers: { 'x-service-key': `billing.${secret}` } }).then(({ status }) => status);
    expect(await list()).toBe(200);
    await one.api.delete('/v1/services/billing', { token: bossToken });
    expect(await list()).toBe(401);
  });

  test('50 refreshes at once over both replicas get one child', async () => {
    const [one, other] = both();
    const { refreshToken } = await signIn(one, person);
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        (index % 2 === 0 ? one : other).api.post('/v1/auth/refresh', { body: { refreshToken } }),
      ),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map(({ body }) => body.refreshToken)).size).toBe(1);
  });
});
