import { beforeAll, describe, expect, test } from 'vitest';

import type { Answer } from '../support/api.js';
import { signInAdmin } from '../support/people.js';
import { exchange, openSocket, request } from '../support/raw-http.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse({ own: true });
let token: string;

beforeAll(async () => {
  token = (await signInAdmin(gatehouse)).token;
});

type Bytes = string | Uint8Array;
const json = 'Content-Type: application/json';
const live = 'GET /health/live';
const login = '{"userName":"nobody","password":"x"}';

const post = (body: Bytes, ...headers: string[]): Buffer => request('POST /v1/auth/login', { headers, body });
const postJson = (body: Bytes): Buffer => post(body, json);
const named = (...inside: (string | Buffer)[]): Buffer =>
  postJson(Buffer.concat(['{"password":"x","userName":"', ...inside, '"}'].map((part) => Buffer.from(part))));
const get = (path: string, ...headers: string[]): Buffer => request(`GET ${path}`, { headers });
const bare = (head: string): Buffer => Buffer.from(`${head}\r\n\r\n`);
const framed = (...headers: string[]): Buffer => request('POST /v1/auth/login', { headers });
const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;
const lines = (count: number, line: string): string[] => Array.from({ length: count }, () => line);

/** What a client sends, and the status and code that it is answered. */
type Scenario = readonly [name: string, status: number, code: string, ...parts: readonly Bytes[]];

const bodies: readonly Scenario[] = [
  ['malformed JSON', 400, 'malformed-json', postJson('{"userName":')],
  ['JSON with a trailing comma', 400, 'malformed-json', postJson('{"userName":"a",}')],
  ['an empty body', 400, 'invalid-request', postJson('')],
  ['no content type', 415, 'unsupported-media-type', post(login)],
  ['plain text', 415, 'unsupported-media-type', post(login, 'Content-Type: text/plain')],
  ['a form', 415, 'unsupported-media-type', post('userName=a', 'Content-Type: application/x-www-form-urlencoded')],
  ['multipart', 415, 'unsupported-media-type', post('--a--', 'Content-Type: multipart/form-data; boundary=a')],
  ['a garbage content type', 415, 'unsupported-media-type', post(login, 'Content-Type: ;;;')],
  ['another charset', 415, 'unsupported-media-type', post(login, `${json}; charset=latin1`)],
  [
    'a compressed body',
    415,
    'unsupported-media-type',
    post(Buffer.of(0x1f, 0x8b, 8, 0), json, 'Content-Encoding: gzip'),
  ],
  ['a body that is said to be compressed', 415, 'unsupported-media-type', post(login, json, 'Content-Encoding: gzip')],
  ['an unknown content coding', 415, 'unsupported-media-type', post(login, json, 'Content-Encoding: x')],
  ['a coding behind none', 415, 'unsupported-media-type', post(login, json, 'Content-Encoding: identity, br')],
  ['no content coding by name', 401, 'invalid-credentials', post(login, json, 'Content-Encoding: Identity')],
  ['an empty content coding', 401, 'invalid-credentials', post(login, json, 'Content-Encoding:')],
  ['the charset utf8', 401, 'invalid-credentials', post(login, `${json}; charset=utf8`)],
  ['the charset UTF8', 401, 'invalid-credentials', post(login, `${json};charset=UTF8`)],
  ['the charset "utf-8"', 401, 'invalid-credentials', post(login, `${json}; charset="utf-8"`)],
  ['a charset that nobody knows', 415, 'unsupported-media-type', post(login, `${json}; charset=utf-9`)],
  ['bad UTF-8', 400, 'invalid-encoding', named(Buffer.of(0xff, 0xc3, 0x28))],
  ['a surrogate in UTF-8', 400, 'invalid-encoding', named(Buffer.of(0xed, 0xa0, 0x80))],
  ['a raw NUL', 400, 'invalid-encoding', named('\0')],
  ['an escaped NUL', 400, 'invalid-encoding', named(String.raw`\u0000`)],
  ['a lone surrogate escape', 400, 'invalid-encoding', named(String.raw`\ud800`)],
  ['a body over 16 KiB', 413, 'body-too-large', postJson('x'.repeat(16_385))],
  [
    'a chunked body over 16 KiB',
    413,
    'body-too-large',
    framed(json, 'Transfer-Encoding: chunked'),
    ...lines(2, chunk('x'.repeat(10_000))),
    chunk(''),
  ],
  ['100,000 opening brackets', 413, 'body-too-large', postJson('['.repeat(100_000))],
  ['16,000 opening brackets', 400, 'json-too-deep', postJson('['.repeat(16_000))],
  ['33 levels', 400, 'json-too-deep', postJson('['.repeat(33) + ']'.repeat(33))],
  ['32 levels', 400, 'invalid-request', postJson('['.repeat(32) + ']'.repeat(32))],
  ['null', 400, 'invalid-request', postJson('null')],
  ['an aborted chunk', 400, 'bad-request', framed(json, 'Transfer-Encoding: chunked'), 'zz\r\n\r\n'],
  ['a body longer than it says', 400, 'bad-request', framed(json, 'Content-Length: 5'), login],
];

const addresses: readonly Scenario[] = [
  ['a bad percent-encoding in the path', 400, 'invalid-url', get('/v1/%zz')],
  ['bad UTF-8 in the path', 400, 'invalid-url', get('/v1/users/%ff')],
  ['a bad percent-encoding in the query', 400, 'invalid-url', get('/v1/users?cursor=%zz')],
  ['NUL in the query', 400, 'invalid-url', get('/v1/users?cursor=%00')],
  ['a long parameter', 414, 'url-too-long', get(`/v1/users/${'a'.repeat(600)}`)],
  ['a long URL', 431, 'headers-too-large', get(`/v1/users?cursor=${'a'.repeat(17_000)}`)],
  ['an unknown address', 404, 'not-found', get('/v1/nothing')],
  ['a path that climbs', 404, 'not-found', get('/v1/../health/live')],
  ['no path', 404, 'not-found', request('GET *')],
];

const protocol: readonly Scenario[] = [
  ['a garbage request line', 400, 'bad-request', bare('GARBAGE')],
  ['a TLS greeting', 400, 'bad-request', Buffer.of(0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc)],
  ['HTTP/2', 400, 'bad-request', bare('PRI * HTTP/2.0\r\n\r\nSM')],
  ['bare line feeds', 400, 'bad-request', Buffer.from(`${live} HTTP/1.1\nHost: a\n\n`)],
  ['no Host', 400, 'bad-request', bare(`${live} HTTP/1.1\r\nConnection: close`)],
  ['two Hosts', 400, 'bad-request', request(live, { headers: ['Host: gatehouse.test'] })],
  ['two Hosts in HTTP/1.0', 400, 'bad-request', bare(`${live} HTTP/1.0\r\nHost: a\r\nhost: b`)],
  ['an empty Host', 400, 'bad-request', bare(`${live} HTTP/1.1\r\nHost:\r\nConnection: close`)],
  ['a Host with a user', 400, 'bad-request', bare(`${live} HTTP/1.1\r\nHost: a@b\r\nConnection: close`)],
  ['a Host with a path', 400, 'bad-request', bare(`${live} HTTP/1.1\r\nHost: a/b\r\nConnection: close`)],
  ['a Host that is no ASCII', 400, 'bad-request', bare(`${live} HTTP/1.1\r\nHost: \xe9\r\nConnection: close`)],
  ['a target with a user', 400, 'bad-request', request('GET http://a@b/health/live')],
  ['a target and no Host', 400, 'bad-request', bare('GET http://a/health/live HTTP/1.1\r\nConnection: close')],
  ['a whole URL as the target', 401, 'authentication-required', request('GET http://other.test:80/v1/users/me?a=%20')],
  ['two lengths', 400, 'bad-request', framed(json, 'Content-Length: 5', 'Content-Length: 6'), login],
  ['a negative length', 400, 'bad-request', framed(json, 'Content-Length: -5'), login],
  [
    'a length and chunks',
    400,
    'bad-request',
    framed(json, 'Content-Length: 5', 'Transfer-Encoding: chunked'),
    chunk(''),
  ],
  ['an unknown transfer coding', 400, 'bad-request', framed(json, 'Transfer-Encoding: gzip'), login],
  ['a folded header', 400, 'bad-request', request(live, { headers: ['X-A: b\r\n c'] })],
  ['NUL in a header', 400, 'bad-request', request(live, { headers: ['X-A: b\0c'] })],
  ['a header over 16 kB', 431, 'headers-too-large', request(live, { headers: [`X-A: ${'a'.repeat(17_000)}`] })],
  ['3,000 long headers', 431, 'headers-too-large', request(live, { headers: lines(3_000, 'X-A: b') })],
  ['2,000 headers', 431, 'headers-too-large', request(live, { headers: lines(2_000, 'a:') })],
  ['an unknown expectation', 401, 'invalid-credentials', post(login, json, 'Expect: miracles')],
];

const credentials: readonly Scenario[] = [
  [
    'Authorization twice',
    401,
    'invalid-token',
    get('/v1/users/me', 'Authorization: Bearer a', 'Authorization: Bearer b'),
  ],
  ['another scheme', 401, 'invalid-token', get('/v1/users/me', 'Authorization: Basic YTpi')],
  ['an empty Authorization', 401, 'invalid-token', get('/v1/users/me', 'Authorization:')],
  ['bytes that are no ASCII', 401, 'invalid-token', get('/v1/users/me', 'Authorization: Bearer \xe9')],
  ['a comma between two tokens', 401, 'invalid-token', get('/v1/users/me', 'Authorization: Bearer a, Bearer b')],
];

const methods: readonly Scenario[] = [
  ['PUT on a list', 405, 'GET, HEAD, POST', request('PUT /v1/users')],
  ['DELETE on a probe', 405, 'GET, HEAD', request('DELETE /health/ready')],
  ['POST on a user', 405, 'DELETE, GET, HEAD, PATCH', request('POST /v1/users/me')],
  ['OPTIONS', 405, 'POST', request('OPTIONS /v1/auth/login')],
  ['TRACE', 405, 'POST', request('TRACE /v1/auth/login')],
  ['a made-up method', 405, 'POST', request('PURGE /v1/auth/login')],
];

function expectProblem(answer: Answer | undefined, status: number): void {
  expect(answer?.status, answer?.text).toBe(status);
  expect(answer?.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
  expect(answer?.headers.get('cache-control')).toBe('no-store');
  expect(answer?.body).toMatchObject({ status, requestId: answer?.headers.get('x-request-id') });
}

const logged = (id: string) => gatehouse.log.find(({ requestId, msg }) => requestId === id && msg === 'request');

describe.each([
  ['a body', bodies],
  ['an address', addresses],
  ['the protocol', protocol],
  ['credentials', credentials],
])('%s', (_, scenarios) => {
  test.for(scenarios)('%s is answered %i %s', async ([, status, code, ...parts]) => {
    const [answer, ...more] = await exchange(gatehouse.url, ...parts);
    expectProblem(answer, status);
    expect([answer?.body.code, answer?.body.type]).toEqual([code, `urn:gatehouse:error:${code}`]);
    expect(more).toEqual([]);
  });
});

test.for(methods)('%s is answered %i, and Allow says %s', async ([, status, allow, ...parts]) => {
  const [answer] = await exchange(gatehouse.url, ...parts);
  expectProblem(answer, status);
  expect([answer?.body.code, answer?.headers.get('allow')]).toEqual(['method-not-allowed', allow]);
});

test.for([
  ['__proto__', '{"userName":"a","password":"x","__proto__":{"a":1}}'],
  ['__proto__', String.raw`{"userName":"a","password":"x","_\u005fproto__":{"a":1}}`],
  ['constructor', '{"userName":"a","password":"x","constructor":{"prototype":1}}'],
  ['admin', '{"userName":"a","password":"x","admin":true}'],
])('the unknown field %s in %s is named', async ([path, body = '']) => {
  const { status, body: problem } = await gatehouse.api.post('/v1/auth/login', { body });
  expect(status).toBe(400);
  expect(problem.errors).toMatchObject([{ path, code: 'unknown-field' }]);
});

test.for([
  ['/v1/users?limit=1&limit=2', 'limit', 'invalid-type'],
  ['/v1/users?nothing=1', 'nothing', 'unknown-field'],
  ['/v1/users/%00', 'id', 'invalid-format'],
  ['/v1/users/by-user-name/a%00b', 'userName', 'invalid'],
])('%s names what is wrong with %s', async ([path = '', field, code]) => {
  const { status, body } = await gatehouse.api.get(path, { token });
  expect([status, body.code, body.errors[0].path, body.errors[0].code]).toEqual([400, 'invalid-request', field, code]);
});

test.for(['bearer', 'BEARER', 'Bearer '])('a token is taken after "%s"', async (scheme) => {
  const headers = [`authorization: ${scheme} ${token}`];
  const [answer] = await exchange(gatehouse.url, request('GET /v1/users/me', { headers }));
  expect(answer?.status).toBe(200);
});

test.for([
  ['f3b0-1.a_b:c', true],
  ['a'.repeat(128), true],
  ['a'.repeat(129), false],
  ['two words', false],
  ['"quoted"', false],
  ['\xe9', false],
] as const)('the request id %s is kept: %s', async ([id, isKept]) => {
  for (const line of [live, 'GET /v1/nothing', 'GET /v1/%zz']) {
    const [answer] = await exchange(gatehouse.url, request(line, { headers: [`X-Request-Id: ${id}`] }));
    expect(answer?.headers.get('x-request-id')).toMatch(isKept ? id : /^[0-9a-f-]{36}$/);
  }
});

test('pipelined requests are answered in turn', async () => {
  const first = Buffer.from(`${live} HTTP/1.1\r\nHost: a\r\n\r\n`.repeat(3));
  const answers = await exchange(gatehouse.url, Buffer.concat([first, get('/v1/nothing')]));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 404]);
});

test('a body is asked for when the client waits for that', async () => {
  const answers = await exchange(gatehouse.url, post(login, json, 'Expect: 100-continue'));
  expect(answers.map(({ status }) => status)).toEqual([100, 401]);
});

test.for([
  ['/health/live', 200],
  ['/v1/users/me', 401],
  ['/v1/auth/login', 405],
] as const)('HEAD %s is answered %i without a body', async ([path, status]) => {
  const [answer] = await exchange(gatehouse.url, request(`HEAD ${path}`));
  expect([answer?.status, answer?.text]).toEqual([status, '']);
});

test('an aborted upload is a 400 in the log', async () => {
  const socket = await openSocket(gatehouse.url);
  socket.write(framed(json, 'Content-Length: 100', 'X-Request-Id: aborted-upload'));
  socket.write('{"userName":');
  await gatehouse.api.get('/health/live');
  socket.resetAndDestroy();
  await expect.poll(() => logged('aborted-upload')).toMatchObject({ status: 400, errorCode: 'bad-request' });
});

test('a client that hangs up while its password is checked is a 400 in the log', async () => {
  const socket = await openSocket(gatehouse.url);
  const [body, headers] = [login, [json, 'X-Request-Id: impatient']];
  for (let count = 0; count < 3; count++) socket.write(request('POST /v1/auth/login', { body, headers }));
  await gatehouse.api.get('/health/live');
  socket.resetAndDestroy();
  await expect.poll(() => logged('impatient')).toMatchObject({ status: 400, isClientGone: true });
});

test('nothing of this is logged as an error', () => {
  expect(gatehouse.log.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
});
