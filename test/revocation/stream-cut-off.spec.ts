import { beforeAll, describe, expect, test } from 'vitest';

import { Draining } from '#libs/platform/http';

import { isHeartbeat, isReset, openStream } from '../support/feed-stream.js';
import { signInAdmin } from '../support/people.js';
import { openSocket } from '../support/raw-http.js';
import { newService, type Service, tokenOf } from '../support/services.js';
import { startGatehouse } from '../support/start-gatehouse.js';
import { nowSeconds, takeApart, withClaims } from '../support/tokens.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse();
const scopes = ['revocations:read'];
let token: string;
let revoker: Service;

beforeAll(async () => {
  token = (await signInAdmin(gatehouse)).token;
  revoker = await newService(gatehouse, { token, scopes: ['tokens:revoke'] });
});

type Reader = { readonly service: Service; readonly headers: Record<string, string> };

const byKey = async (): Promise<Reader> => {
  const service = await newService(gatehouse, { token, scopes });
  return { service, headers: service.headers };
};
const byToken = async (): Promise<Reader> => {
  const service = await newService(gatehouse, { token, scopes });
  return { service, headers: { authorization: `Bearer ${await tokenOf(gatehouse, service)}` } };
};
const byShortToken = async (): Promise<Reader> => {
  const { service, headers } = await byToken();
  const good = takeApart(gatehouse, headers['authorization']?.slice('Bearer '.length) ?? '');
  return { service, headers: { authorization: `Bearer ${withClaims(good, { exp: nowSeconds() + 3 })}` } };
};

const change = async ({ service: { name } }: Reader, fields: object): Promise<void> => {
  expect((await gatehouse.api.patch(`/v1/services/${name}`, { token, body: fields })).status).toBe(200);
};
const remove = async ({ service: { name } }: Reader): Promise<void> => {
  expect((await gatehouse.api.delete(`/v1/services/${name}`, { token })).status).toBe(204);
};
const rotate = async ({ service: { name } }: Reader, query: string): Promise<void> => {
  expect((await gatehouse.api.post(`/v1/services/${name}/secret${query}`, { token })).status).toBe(200);
};
const revoke = async ({ headers }: Reader): Promise<void> => {
  const body = new URLSearchParams({ token: headers['authorization']?.slice('Bearer '.length) ?? '' });
  expect((await gatehouse.api.post('/v1/auth/revoke', { headers: revoker.headers, body })).status).toBe(200);
};

const ends: [string, () => Promise<Reader>, (reader: Reader) => Promise<void>, number][] = [
  ['is deactivated', byKey, (reader) => change(reader, { status: 'deactivated' }), 401],
  ['is deleted', byKey, remove, 401],
  ['loses the scope', byKey, (reader) => change(reader, { scopes: [] }), 403],
  ['gets another key, and the old one ends', byKey, (reader) => rotate(reader, '?revoke=true'), 401],
  ['is deactivated while it listens by a token', byToken, (reader) => change(reader, { status: 'deactivated' }), 401],
  ['loses the scope while it listens by a token', byToken, (reader) => change(reader, { scopes: [] }), 401],
  ['has its token revoked', byToken, revoke, 401],
  ['has a token that expires', byShortToken, async () => undefined, 401],
];

describe('a service is cut off its open stream', () => {
  test.each(ends)('when it %s', async (_, newReader, end, statusAfter) => {
    const reader = await newReader();
    const stream = await openStream(gatehouse.url, reader);
    await stream.until(isHeartbeat);
    await end(reader);
    await stream.until(isReset);
    await stream.ended;
    expect(stream.events.at(-1)?.event).toBe('reset');
    expect((await openStream(gatehouse.url, reader)).status).toBe(statusAfter);
  });

  test('and another service is not', async () => {
    const [reader, other] = [await byKey(), await byKey()];
    const [ending, going] = [await openStream(gatehouse.url, reader), await openStream(gatehouse.url, other)];
    await going.until(isHeartbeat);
    await remove(reader);
    await ending.ended;
    const endedAt = performance.now();
    await going.until((event) => isHeartbeat(event) && event.atMs > endedAt);
    expect(going.events.some(isReset)).toBe(false);
    going.close();
  });

  test('but not while its old key still works beside the new one', async () => {
    const reader = await byKey();
    const stream = await openStream(gatehouse.url, reader);
    await rotate(reader, '');
    const rotatedAt = performance.now();
    await stream.until((event) => isHeartbeat(event) && event.atMs > rotatedAt + 1_500);
    expect(stream.events.some(isReset)).toBe(false);
    stream.close();
  });
});

test('a stream is not closed to make room for connections that wait', async () => {
  const full = await startGatehouse({ MAX_CONNECTIONS_PER_ADDRESS: '4' });
  const service = await newService(full, { token: (await signInAdmin(full)).token, scopes });
  const stream = await openStream(full.url, service);
  await stream.until(isHeartbeat);
  const silent = [];
  for (let count = 0; count < 12; count++) silent.push(await openSocket(full.url));
  const openedAt = performance.now();
  await stream.until((event) => isHeartbeat(event) && event.atMs > openedAt + 1_000);
  for (const socket of silent) socket.destroy();
  stream.close();
  await full.stop();
});

test('a replica that begins to stop resets its streams at once and takes no new one', async () => {
  const stopping = await startGatehouse();
  const service = await newService(stopping, { token: (await signInAdmin(stopping)).token, scopes });
  const stream = await openStream(stopping.url, service);
  await stream.until(isHeartbeat);
  stopping.app.get(Draining).begin();
  await stream.ended;
  expect(stream.events.at(-1)?.event).toBe('reset');
  const refused = await openStream(stopping.url, service);
  await refused.ended;
  expect([refused.status, refused.headers['retry-after']]).toEqual([503, '1']);
  await stopping.stop();
});

test('a replica with open streams stops as one without', async () => {
  const stopping = await startGatehouse();
  const service = await newService(stopping, { token: (await signInAdmin(stopping)).token, scopes });
  const stream = await openStream(stopping.url, service);
  await stream.until(isHeartbeat);
  await stopping.stop();
  await stream.ended;
  expect(stream.events.at(-1)?.event).toBe('reset');
});
