import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';
import { beforeAll, describe, expect, test } from 'vitest';

import { KeyRotationService } from '#libs/auth';

import { isHeartbeat, openStream } from '../support/feed-stream.js';
import { newPerson, type Person, signInAdmin, uniqueName } from '../support/people.js';
import { newService, type Service } from '../support/services.js';
import type { Gatehouse } from '../support/start-gatehouse.js';
import { takeApart } from '../support/tokens.js';
import { useReplicas } from '../support/use-gatehouse.js';

const { both, databaseUrl } = useReplicas();
let service: Service;
let token: string;

beforeAll(async () => {
  const [here] = both();
  token = (await signInAdmin(here)).token;
  service = await newService(here, { token, scopes: ['revocations:read'] });
});

type Told = { readonly kind: string; readonly subject: string; readonly below?: number };
type End = (one: Gatehouse, person: Person) => Promise<Told>;

const bearer = (person: Person) => ({ token: person.token });

const ends: [string, End][] = [
  [
    'a log-out',
    async ({ api }, person) => {
      await api.post('/v1/auth/logout', bearer(person));
      return { kind: 'session', subject: person.sessionId };
    },
  ],
  [
    'a token that is revoked by itself',
    async (one, person) => {
      const revoker = await newService(one, { token, scopes: ['tokens:revoke'] });
      const body = new URLSearchParams({ token: person.token });
      await one.api.post('/v1/auth/revoke', { headers: revoker.headers, body });
      return { kind: 'token', subject: String(takeApart(one, person.token).claims['jti']) };
    },
  ],
  [
    'a deactivation',
    async ({ api }, { id }) => {
      await api.patch(`/v1/users/${id}`, { token, body: { status: 'deactivated' } });
      return { kind: 'user', subject: id };
    },
  ],
  [
    'an erasure',
    async ({ api }, person) => {
      await api.delete('/v1/users/me', bearer(person));
      return { kind: 'user', subject: person.id };
    },
  ],
  [
    'a role that is changed',
    async ({ api }) => {
      const name = uniqueName('role');
      await api.post('/v1/roles', { token, body: { name, permissions: ['a'] } });
      await api.patch(`/v1/roles/${name}`, { token, body: { permissions: ['b'] } });
      return { kind: 'role', subject: name };
    },
  ],
  [
    'a service that is deactivated',
    async (one) => {
      const { name } = await newService(one, { token, scopes: [] });
      await one.api.patch(`/v1/services/${name}`, { token, body: { status: 'deactivated' } });
      return { kind: 'service', subject: name };
    },
  ],
  [
    'a signing key that is retired',
    async (one, person) => {
      const keyId = String(takeApart(one, person.token).header['kid']);
      const rotation = one.app.get(KeyRotationService);
      await rotation.rotate('at-once', 'operator');
      await rotation.retire(keyId, 'operator');
      return { kind: 'key', subject: keyId };
    },
  ],
];

describe('what ends on one replica', () => {
  test.each(ends)('is told on the streams of the other: %s', async (_, end) => {
    const [one, other] = both();
    const person = await newPerson(one);
    const stream = await openStream(other.url, service);
    await stream.until(isHeartbeat);
    const { kind, subject } = await end(one, person);
    const isIt = (event: { event: string; data: any }) =>
      event.event === 'revocation' && event.data.kind === kind && event.data.subject === subject;
    await expect.poll(() => stream.events.some(isIt), { timeout: 10_000 }).toBe(true);
    stream.close();
  });
});

/** Writes entries in transactions that commit in any order, some long after they began. */
async function write(subjects: readonly string[]): Promise<void> {
  const client = new pg.Client(databaseUrl());
  await client.connect();
  for (const subject of subjects) {
    await client.query('begin');
    await client.query(
      `insert into revocations (kind, subject, cause, expires_at) values ('token', $1, 'logout', now() + interval '1 hour')`,
      [subject],
    );
    await sleep(randomInt(0, 60));
    await client.query('commit');
  }
  await client.end();
}

/**
 * Hears of what is committed on streams of either replica that are cut at any moment, and goes on
 * from the last id it saw, as a receiver does.
 */
async function receive(heard: Set<string>, from: string, isOver: () => boolean): Promise<void> {
  let lastEventId = from;
  for (let isLast = false; !isLast;) {
    isLast = isOver();
    const stream = await openStream(both()[randomInt(0, 2)]?.url ?? '', service, { lastEventId });
    expect(stream.status).toBe(200);
    // the last one is read until everything that there is has been told
    if (isLast) await stream.until(isHeartbeat);
    else await sleep(randomInt(0, 300));
    stream.close();
    for (const { event, data, id } of stream.events) {
      if (event === 'revocation') heard.add(data.subject);
      lastEventId = id ?? lastEventId;
    }
  }
}

test('whoever is cut off again and again, while many write at once, misses nothing', async () => {
  const first = await openStream(both()[0].url, service);
  const { id = '' } = await first.until(isHeartbeat);
  first.close();
  const written = Array.from({ length: 12 }, () => Array.from({ length: 40 }, () => randomUUID()));
  let isOver = false;
  const writing = Promise.all(written.map(write)).then(() => {
    isOver = true;
  });
  const receivers = Array.from({ length: 8 }, () => new Set<string>());
  await Promise.all([writing, ...receivers.map((heard) => receive(heard, id, () => isOver))]);
  const missed = receivers.map((heard) => written.flat().filter((subject) => !heard.has(subject)).length);
  expect(missed).toEqual(receivers.map(() => 0));
}, 60_000);
