import { beforeAll, describe, expect, test } from 'vitest';

import { newPerson, signInAdmin, uniqueName } from '../support/people.js';
import { exchange, request } from '../support/raw-http.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse({ environment: { RATE_LIMIT_IP_READ: '3', TRUST_PROXY: '127.0.0.1' } });
let token: string;

beforeAll(async () => {
  token = (await signInAdmin(gatehouse)).token;
});

const read = async (forwarded: string): Promise<number> =>
  (await gatehouse.api.get('/.well-known/jwks.json', { headers: { 'x-forwarded-for': forwarded } })).status;

async function readAll(addresses: readonly string[]): Promise<number[]> {
  const statuses: number[] = [];
  for (const address of addresses) statuses.push(await read(address));
  return statuses;
}

describe('behind a proxy a client is told apart by its own address, and has one limit', () => {
  test.each([
    ['whatever its port is', ['192.0.2.1:50001', '192.0.2.1:50002', '192.0.2.1', '192.0.2.1:50003']],
    [
      'in every spelling of IPv6',
      ['[2001:db8:a::1]:443', '2001:DB8:A::1', '"[2001:db8:a:0::1]"', '2001:db8:a::1%eth0'],
    ],
    ['mapped into IPv6 or not', ['::ffff:192.0.2.2', '[::ffff:192.0.2.2]:80', '::ffff:c000:202', '192.0.2.2']],
    [
      'whatever it says before what the proxy saw',
      ['198.51.100.1, 192.0.2.3', 'x, 192.0.2.3', ', 192.0.2.3', '192.0.2.3,'],
    ],
  ])('%s', async (_, addresses) => {
    expect(await readAll(addresses)).toEqual([200, 200, 200, 429]);
  });

  test('when the proxy names no address, its own address counts', async () => {
    expect(await readAll(['unknown', '_hidden', 'a'.repeat(3_000), 'for=192.0.2.4'])).toEqual([200, 200, 200, 429]);
  });

  test('when the header comes in several lines, they are read as one', async () => {
    const line = 'GET /.well-known/jwks.json';
    const statuses: (number | undefined)[] = [];
    for (const invented of [1, 2, 3, 4]) {
      const headers = [`X-Forwarded-For: 198.51.100.${invented}`, 'X-Forwarded-For: 192.0.2.5:81'];
      statuses.push((await exchange(gatehouse.url, request(line, { headers })))[0]?.status);
    }
    expect(statuses).toEqual([200, 200, 200, 429]);
  });
});

test('sessions, audit rows and the log keep addresses, and nothing that is none', async () => {
  const { userName, password } = await newPerson(gatehouse);
  const body = { userName, password };
  const login = async (forwarded: string): Promise<string> => {
    const headers = { 'x-forwarded-for': forwarded, 'x-request-id': uniqueName('request') };
    const answer = await gatehouse.api.post('/v1/auth/login', { body, headers });
    expect(answer.status).toBe(200);
    return answer.body.accessToken;
  };
  const from = gatehouse.log.length;
  await login('[2001:db8:b::8]:443');
  await login(`"<script>${'a'.repeat(3_000)}`);
  const own = await login('203.0.113.8:50001');
  const sessions = (await gatehouse.api.get('/v1/auth/sessions', { token: own })).body.items;
  expect(sessions.slice(0, 3).map(({ ip }: { ip: string }) => ip)).toEqual([
    '203.0.113.8',
    '127.0.0.1',
    '2001:db8:b::8',
  ]);
  const events = (await gatehouse.api.get('/v1/audit?limit=3', { token })).body.items;
  expect(new Set(events.map(({ ip }: { ip: string }) => ip))).toEqual(
    new Set(['203.0.113.8', '127.0.0.1', '2001:db8:b::8']),
  );
  const lines = gatehouse.log.slice(from).filter(({ route }) => route === '/v1/auth/login');
  expect(lines.map(({ ip }) => ip)).toEqual(['2001:db8:b::8', '127.0.0.1', '203.0.113.8']);
});

/** Addresses of as many networks (/64) of one household (/56). */
const networks = (household: string, count: number): string[] =>
  Array.from({ length: count }, (_, at) => `2001:db8:${household}${at.toString(16).padStart(2, '0')}::1`);

/** The limit that an answer tells, and what is left of it. */
const tell = async (address: string) => {
  const answer = await gatehouse.api.get('/.well-known/jwks.json', { headers: { 'x-forwarded-for': address } });
  return answer.headers.get('ratelimit')?.replace(/;t=\d+$/, '');
};

describe('of IPv6', () => {
  test('a household with many networks has four limits, not one for each', async () => {
    const statuses = await readAll(networks('10:1', 13));
    expect(statuses).toEqual([...Array<number>(12).fill(200), 429]);
    const headers = { 'x-forwarded-for': '2001:db8:10:1ff::1' };
    const refused = await gatehouse.api.get('/.well-known/jwks.json', { headers });
    expect(refused.headers.get('ratelimit-policy')).toBe('"ip-read-56";q=12;w=60');
    expect(refused.body['violated-policies']).toEqual(['ip-read-56']);
  });

  test('a company with many households has sixteen', async () => {
    const households = ['11:1', '11:2', '11:3', '11:4'].flatMap((household) => networks(household, 12));
    expect(new Set(await readAll(households))).toEqual(new Set([200]));
    expect(await readAll(['2001:db8:11:500::1', '2001:db8:12:500::1'])).toEqual([429, 200]);
  });

  test('refused requests use up nothing of the limits of neighbouring networks', async () => {
    const statuses = await readAll(Array<string>(30).fill('2001:db8:13:100::1'));
    expect(statuses.filter((status) => status === 200)).toHaveLength(3);
    expect(await readAll(networks('13:1', 11).slice(1))).toEqual([...Array<number>(9).fill(200), 429]);
  });

  test('an answer tells the limit that is used up first', async () => {
    expect(await tell('2001:db8:14:100::1')).toBe('"ip-read";r=2');
    await readAll(networks('14:1', 11).slice(1));
    expect(await tell('2001:db8:14:1ff::1')).toBe('"ip-read-56";r=0');
  });
});
