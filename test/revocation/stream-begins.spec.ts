import { beforeAll, expect, test } from 'vitest';

import { isHeartbeat, names, openStream } from '../support/feed-stream.js';
import { newPerson, type Person, signInAdmin } from '../support/people.js';
import { newService, type Service } from '../support/services.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse();
let service: Service;

beforeAll(async () => {
  const { token } = await signInAdmin(gatehouse);
  service = await newService(gatehouse, { token, scopes: ['revocations:read'] });
});

/** Somebody whose session has ended. */
async function newEnded(): Promise<Person> {
  const person = await newPerson(gatehouse);
  expect((await gatehouse.api.post('/v1/auth/logout', { token: person.token })).status).toBe(204);
  return person;
}

test('a stream without a cursor begins with all that is live, and a heartbeat says when that is done', async () => {
  const before = await newEnded();
  const stream = await openStream(gatehouse.url, service);
  await stream.until(isHeartbeat);
  const kinds = stream.events.map(({ event }) => event);
  expect(kinds.indexOf('heartbeat')).toBe(kinds.length - 1);
  expect(stream.events.find(names(before.sessionId))?.data).toEqual({
    kind: 'session',
    subject: before.sessionId,
    below: null,
    cause: 'logout',
    expiresAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
  });
  stream.close();
});

test('what is revoked while a stream is open is told on it', async () => {
  const stream = await openStream(gatehouse.url, service);
  await stream.until(isHeartbeat);
  const { sessionId } = await newEnded();
  const { id } = await stream.until(names(sessionId));
  expect(id).toMatch(/^[\w-]+$/);
  stream.close();
});

test.each(['cursor', 'lastEventId'])('a stream goes on from a %s', async (name) => {
  const first = await openStream(gatehouse.url, service);
  const { id: cursor = '' } = await first.until(isHeartbeat);
  first.close();
  const between = await newEnded();
  const second = await openStream(gatehouse.url, service, { [name]: cursor });
  await second.until(isHeartbeat);
  expect(second.events.some(names(between.sessionId))).toBe(true);
  second.close();
});

test('Last-Event-ID wins over the cursor of the address', async () => {
  const first = await openStream(gatehouse.url, service);
  const { id: cursor = '' } = await first.until(isHeartbeat);
  first.close();
  const good = await openStream(gatehouse.url, service, { cursor: 'none of ours', lastEventId: cursor });
  expect(good.status).toBe(200);
  good.close();
  const bad = await openStream(gatehouse.url, service, { cursor, lastEventId: 'none of ours' });
  expect(bad.status).toBe(400);
});
