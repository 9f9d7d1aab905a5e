import { readFileSync } from 'node:fs';

import { describe, expect, test } from 'vitest';

import { newPerson, signInAdmin } from '../support/people.js';
import { exchange, request } from '../support/raw-http.js';
import { startGatehouse } from '../support/start-gatehouse.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const metricsToken = 'a-token-for-the-scraper';
const gatehouse = useGatehouse({ environment: { METRICS_TOKEN: metricsToken } });

const scrape = async (): Promise<string> => {
  const answer = await fetch(`${gatehouse.url}/metrics`, { headers: { authorization: `Bearer ${metricsToken}` } });
  expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  return answer.text();
};
const series = (text: string): readonly string[] => text.split('\n').filter((line) => line !== '' && line[0] !== '#');
/** The value of a series, `name{label="value"}`. */
const read = async (name: string): Promise<number> => {
  const line = series(await scrape()).find((candidate) => candidate.startsWith(`${name} `));
  return Number(line?.split(' ').at(-1) ?? Number.NaN);
};

describe('who may read them', () => {
  test.each([
    ['without a token', {}],
    ['with another token', { authorization: `Bearer ${metricsToken}s` }],
  ])('nobody %s', async (_, headers) => {
    const { status, body } = await gatehouse.api.get('/metrics', { headers });
    expect([status, body.code]).toEqual([401, 'invalid-token']);
  });

  test('an administrator has no more right to them than others', async () => {
    const { token } = await signInAdmin(gatehouse);
    expect((await gatehouse.api.get('/metrics', { token })).status).toBe(401);
  });

  test('without a token in the configuration there are none', async () => {
    const other = await startGatehouse();
    expect((await other.api.get('/metrics')).status).toBe(404);
    await other.stop();
  });

  test('on a port of their own they are there and nowhere else', async () => {
    const other = await startGatehouse({ METRICS_PORT: '0', METRICS_TOKEN: metricsToken });
    const port = other.log.find(({ event }) => event === 'metrics listening')?.['port'];
    const url = `http://127.0.0.1:${String(port)}`;
    const headers = { authorization: `Bearer ${metricsToken}` };
    expect((await fetch(`${url}/metrics`)).status).toBe(401);
    expect(await (await fetch(`${url}/metrics`, { headers })).text()).toContain(
      'gatehouse_build_info{version="0.1.0"} 1',
    );
    expect((await fetch(`${url}/v1/users`, { headers })).status).toBe(404);
    expect((await other.api.get('/metrics', { headers })).status).toBe(404);
    await other.stop();
    await expect(fetch(`${url}/metrics`)).rejects.toThrow('fetch failed');
  });
});

test('requests are counted by template, status and caller, and timed', async () => {
  const person = await newPerson(gatehouse);
  const bossToken = (await signInAdmin(gatehouse)).token;
  const body = { name: 'billing', scopes: ['users:read'] };
  const { secret } = (await gatehouse.api.post('/v1/services', { token: bossToken, body })).body;
  const key = { 'x-service-key': `billing.${secret}` };
  await gatehouse.api.get(`/v1/users/${person.id}`, { token: person.token });
  await gatehouse.api.get(`/v1/users/${person.id}`, { headers: key });
  await gatehouse.api.get(`/v1/users/${person.id}`, { token: person.token, headers: key });
  await gatehouse.api.get(`/v1/users/${person.id}`);
  const counted = (status: number, caller: string): Promise<number> =>
    read(`gatehouse_http_requests_total{route="/v1/users/:id",method="GET",status="${status}",caller="${caller}"}`);
  await expect.poll(() => counted(401, 'anonymous')).toBe(1);
  expect(await counted(200, 'user')).toBe(1);
  expect(await counted(200, 'service:billing')).toBe(2);
  const timed = 'gatehouse_http_request_duration_seconds';
  expect(await read(`${timed}_count{route="/v1/users/:id",method="GET"}`)).toBe(4);
  expect(await read(`${timed}_bucket{le="+Inf",route="/v1/users/:id",method="GET"}`)).toBe(4);
  expect(await read(`${timed}_sum{route="/v1/users/:id",method="GET"}`)).toBeGreaterThan(0);
});

/** Requests on one kept-alive connection, which the last of them closes. */
function pipelined(lines: readonly string[]): Buffer {
  const kept = lines.map((line) => {
    const name = line.split(/[/ ]/).at(-1) ?? '';
    return `${line} HTTP/1.1\r\nHost: a\r\nX-Service-Key: ${name}.secret\r\nX-Service-Name: ${name}\r\n\r\n`;
  });
  return Buffer.concat([Buffer.from(kept.join('')), request('GET /health/live')]);
}

test('3,000 strange paths, methods and names add at most 25 series', async () => {
  const before = series(await scrape()).length;
  const methods = ['PURGE', 'LINK', 'MOVE', 'REPORT', 'PROPFIND', 'DELETE'];
  for (let at = 0; at < 2_500; at += 100) {
    const lines = Array.from({ length: 100 }, (_, more) => {
      const name = `n${(at + more).toString(36)}`;
      return [
        `GET /${name}/${name}`,
        `GET /v1/users/${name}`,
        `${methods[more % methods.length]} /v1/${name}`,
        `GET /v1/users/by-user-name/${name}`,
        `${methods[more % methods.length]} /v1/users?${name}`,
      ][more % 5];
    });
    expect(await exchange(gatehouse.url, pipelined(lines.map(String)))).toHaveLength(101);
  }
  // the parser closes after each of these
  await Promise.all(Array.from({ length: 500 }, (_, at) => exchange(gatehouse.url, request(`X${at}x /v1/users/me`))));
  expect(series(await scrape()).length - before).toBeLessThanOrEqual(25);
  expect(await read('gatehouse_http_refusals_total{code="bad-request"}')).toBe(500);
});

test('what the parts keep is there', async () => {
  const text = await scrape();
  const names = new Set(series(text).map((line) => line.split(/[{ ]/, 1)[0]));
  for (const name of [
    'build_info',
    'database_connections',
    'hash_queue_jobs',
    'hash_queue_refused_total',
    'ready_check_up',
    'revocation_feed_stale_seconds',
    'revocations',
    'sweep_age_seconds',
    'sweep_failures_total',
    'swept_rows_total',
    'token_cache_entries',
    'token_cache_lookups_total',
  ]) {
    expect(names, name).toContain(`gatehouse_${name}`);
  }
  for (const name of [
    'nodejs_eventloop_lag_p99_seconds',
    'process_cpu_seconds_total',
    'process_resident_memory_bytes',
  ]) {
    expect(names, name).toContain(name);
  }
  expect(await read('gatehouse_token_cache_lookups_total{result="hit"}')).toBeGreaterThan(0);
});

/**
 * What `promtool check metrics` objects to (promlint of Prometheus' client_golang),
 * since promtool may not be there.
 */
function lint(text: string): readonly string[] {
  const faults: string[] = [];
  const helps = new Map(Array.from(text.matchAll(/^# HELP (\S+) (.*)$/gm), ([, name = '', help]) => [name, help]));
  const types = Array.from(text.matchAll(/^# TYPE (\S+) (\w+)$/gm), ([, name = '', type = '']) => ({ name, type }));
  const units = new Set([
    'milliseconds',
    'microseconds',
    'minutes',
    'hours',
    'days',
    'kilobytes',
    'megabytes',
    'ms',
    'kb',
    'mb',
  ]);
  for (const { name, type } of types) {
    const words = name.split('_');
    if (!helps.get(name)) faults.push(`${name} has no help`);
    if (!/^[a-z][a-z0-9_]*$/.test(name)) faults.push(`${name} is not in snake case`);
    if ((type === 'counter') !== name.endsWith('_total')) faults.push(`${name} is a ${type}`);
    if (type !== 'histogram' && /_(bucket|count|sum)$/.test(name)) faults.push(`${name} ends like a histogram`);
    if (words.some((word) => ['gauge', 'counter', 'histogram', 'summary'].includes(word))) faults.push(`${name}: type`);
    if (words.some((word) => units.has(word))) faults.push(`${name} is not in a base unit`);
  }
  const declared = new Set(types.map(({ name }) => name));
  const seen = new Set<string>();
  for (const line of series(text)) {
    const [, name = '', labels = ''] =
      /^([a-z]\w*)(\{(?:\w+="(?:[^"\\\n]|\\["\\n])*",?)*\})? (?:[-+]?\d\S*|[+-]Inf|NaN)$/i.exec(line) ?? [];
    if (name === '') faults.push(`not a sample: ${line}`);
    if (!declared.has(name) && !declared.has(familyOf(name))) faults.push(`${name} has no type`);
    if (seen.has(name + labels)) faults.push(`${name}${labels} is there twice`);
    seen.add(name + labels);
  }
  return declared.size === types.length ? faults : [...faults, 'a type is declared twice'];
}

const familyOf = (name: string): string => name.replace(/_(bucket|count|sum)$/, '');

test('the text is as Prometheus wants it', async () => {
  expect(lint(await scrape())).toEqual([]);
});

test('the dashboard asks for nothing that is not there', async () => {
  const dashboard = readFileSync('docs/grafana/gatehouse.json', 'utf8');
  const asked = new Set(dashboard.match(/\b(gatehouse|nodejs|process)_\w+/g));
  const declared = new Set(Array.from((await scrape()).matchAll(/^# TYPE (\S+)/gm), ([, name = '']) => name));
  expect(asked.size).toBeGreaterThan(15);
  expect([...asked].filter((name) => !declared.has(name) && !declared.has(familyOf(name)))).toEqual([]);
});
