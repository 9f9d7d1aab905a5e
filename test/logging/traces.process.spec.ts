import { hash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { copyDatabase, type OwnDatabase } from '../support/copy-database.js';
import { type Process, spawnGatehouse } from '../support/spawn-gatehouse.js';

let database: OwnDatabase;
let collector: Server;
/** Bodies of OTLP/HTTP exports in JSON. */
const exports: any[] = [];
const [traceId, parentId] = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331'];
const traceparent = `00-${traceId}-${parentId}-01`;

beforeAll(async () => {
  database = await copyDatabase();
  collector = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (request.url === '/v1/traces') exports.push(JSON.parse(Buffer.concat(chunks).toString('utf8')));
      response.setHeader('content-type', 'application/json').end('{}');
    });
  });
  await once(collector.listen(0, '127.0.0.1'), 'listening');
});
afterAll(async () => {
  collector.close();
  await database.drop();
});

type Line = Record<string, unknown>;
const requestLines = ({ output }: Process): Line[] =>
  output()
    .split('\n')
    .filter((line) => line.includes('"msg":"request"'))
    .map((line): Line => JSON.parse(line));
const spans = (): any[] =>
  exports.flatMap(({ resourceSpans }) =>
    resourceSpans.flatMap(({ scopeSpans }: any) => scopeSpans.flatMap((scope: any) => scope.spans)),
  );
const attributesOf = (span: any): Record<string, unknown> =>
  Object.fromEntries(span.attributes.map(({ key, value }: any) => [key, Object.values(value)[0]]));

describe('with OTEL_EXPORTER_OTLP_ENDPOINT', () => {
  let service: Process;

  beforeAll(async () => {
    const { port } = collector.address() as AddressInfo;
    service = await spawnGatehouse({
      ...database.environment,
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_BSP_SCHEDULE_DELAY: '100',
      OTEL_METRICS_EXPORTER: 'none',
      OTEL_LOGS_EXPORTER: 'none',
    });
  });
  afterAll(() => service.kill('SIGKILL'));

  test("a request is a span in the caller's trace, and its log line names it", async () => {
    await fetch(`${service.url}/v1/users/by-user-name/ada?secret=1`, { headers: { traceparent } });
    await expect.poll(() => spans().length, { timeout: 10_000 }).toBeGreaterThan(0);
    const span = spans().find((candidate) => candidate.traceId === traceId);
    expect(span).toMatchObject({ parentSpanId: parentId, name: 'GET /v1/users/by-user-name/:userName' });
    expect(attributesOf(span)).toMatchObject({
      'http.request.method': 'GET',
      'http.route': '/v1/users/by-user-name/:userName',
      'url.path': '/v1/users/by-user-name/ada',
    });
    expect(JSON.stringify(exports)).not.toContain('secret=1');
    expect(JSON.stringify(exports)).toContain('"gatehouse"');
    expect(requestLines(service)).toContainEqual(expect.objectContaining({ trace_id: traceId, status: 401 }));
  });

  test.for([
    ['GET', '/v1/messages/TOKEN'],
    ['PUT', '/v1/messages/TOKEN'],
    ['GET', '/v1/messages/TOKEN/'],
    ['GET', '/v1/message/TOKEN'],
    ['GET', '//v1/messages/TOKEN'],
    ['GET', '/V1/MESSAGES/TOKEN'],
    ['GET', '/v1/messages%2FTOKEN'],
    ['POST', '/v1/messages/TOKEN/reveal/'],
    ['GET', '/v1/messages/TOKEN?utm_source=x'],
    ['GET', '/TOKEN'],
  ] as const)('no secret of a message is in the span of %s %s, nor in the log', async ([method, path], { task }) => {
    const secret = `secret${randomBytes(27).toString('base64url')}`;
    const id = hash('md5', task.name);
    const headers = { traceparent: `00-${id}-${parentId}-01` };
    await fetch(service.url + path.replace('TOKEN', secret), { method, headers });
    const paths = () => spans().flatMap((span) => (span.traceId === id ? (attributesOf(span)['url.path'] ?? []) : []));
    await expect.poll(paths, { timeout: 10_000 }).toHaveLength(1);
    expect(JSON.stringify(exports)).not.toContain(secret);
    await expect.poll(() => requestLines(service).filter((line) => line['trace_id'] === id)).toHaveLength(1);
    expect(service.output()).not.toContain(secret);
  });

  test('one without a trace begins one, probes begin none', async () => {
    await fetch(`${service.url}/health/live`);
    await fetch(`${service.url}/.well-known/jwks.json`);
    const line = () => requestLines(service).find(({ route }) => route === '/.well-known/jwks.json');
    await expect.poll(line).toMatchObject({ trace_id: expect.stringMatching(/^[0-9a-f]{32}$/) });
    const id = line()?.['trace_id'];
    await expect.poll(() => spans().some((span) => span.traceId === id), { timeout: 10_000 }).toBe(true);
    expect(spans().filter(({ name }) => name.includes('/health'))).toEqual([]);
  });

  test('what has not been sent yet is sent on the way out', async () => {
    const last = 'ffffffffffffffffffffffffffffffff';
    await fetch(`${service.url}/v1/nothing`, { headers: { traceparent: `00-${last}-${parentId}-01` } });
    service.kill('SIGTERM');
    expect((await service.ended).code).toBe(0);
    expect(spans().some((span) => span.traceId === last)).toBe(true);
  });
});

test.each([
  ['without OTEL_*', {}],
  ['with OTEL_SDK_DISABLED', { OTEL_SDK_DISABLED: 'true', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' }],
])('%s nothing of OpenTelemetry is even loaded, and the trace of the caller is in the log', async (_, environment) => {
  const service = await spawnGatehouse({
    ...database.environment,
    ...environment,
    // Node names every module that it loads from a file
    NODE_DEBUG: 'esm,module',
  });
  await fetch(`${service.url}/v1/users/me`, { headers: { traceparent } });
  await expect.poll(() => requestLines(service)).toContainEqual(expect.objectContaining({ trace_id: traceId }));
  expect(service.output()).toContain('/dist/bundle/');
  expect(service.output()).not.toMatch(/@opentelemetry|@fastify\/otel/);
  service.kill('SIGTERM');
  await service.ended;
});
