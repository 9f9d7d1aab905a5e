import { once } from 'node:events';

import { beforeAll, describe, expect, test } from 'vitest';

import type { Answer } from '../support/api.js';
import { form, picture } from '../support/images.js';
import { newPerson, registration, signInAdmin } from '../support/people.js';
import { exchange, openSocket, request } from '../support/raw-http.js';
import { basic, newService, type Service } from '../support/services.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const logins = 12;
const gatehouse = useGatehouse({
  environment: {
    RATE_LIMIT_IP_LOGIN: String(logins),
    RATE_LIMIT_IP_UPLOAD: '2',
    RATE_LIMIT_USER_LOGIN: '3',
    // so that each test has addresses of its own
    TRUST_PROXY: '127.0.0.1',
  },
});
let token: string;
let lastAddress = 0;
const json = 'Content-Type: application/json';

beforeAll(async () => {
  token = (await signInAdmin(gatehouse)).token;
});

const from = () => ({ 'x-forwarded-for': `192.0.2.${++lastAddress}` });
async function repeat(times: number, ask: () => Promise<Answer>): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let time = 0; time < times; time++) answers.push(await ask());
  return answers;
}

const withPicture = async (headers: Record<string, string>): Promise<Answer> => {
  const fields = Object.fromEntries(Object.entries(registration()).map(([name, value]) => [name, String(value)]));
  const body = form(await picture().png().toBuffer(), 'avatar', fields);
  return gatehouse.api.post('/v1/users', { body, headers });
};

/** The answer to a head whose body never comes. */
const answerTo = async (line: string, ...headers: readonly string[]): Promise<string> => {
  const socket = await openSocket(gatehouse.url);
  const head = [`${line} HTTP/1.1`, 'Host: a', 'Content-Type: application/json', 'Content-Length: 9000', ...headers];
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  const [bytes] = await once(socket, 'data');
  socket.destroy();
  return /^HTTP\/1\.1 (\d+) .*"(?:code|error)":"([\w-]+)"/s.exec(String(bytes))?.slice(1).join(' ') ?? String(bytes);
};
const forwarded = (): string => `X-Forwarded-For: ${from()['x-forwarded-for']}`;

describe('a request counts in every class that it uses:', () => {
  test('a registration with a picture also counts as an upload', async () => {
    const headers = from();
    const answers = await repeat(3, () => withPicture(headers));
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 429]);
    expect(answers.map((answer) => answer.headers.get('ratelimit-policy'))).toEqual(
      Array.from({ length: 3 }, () => '"ip-upload";q=2;w=60'),
    );
    expect(answers[2]?.body).toMatchObject({ 'violated-policies': ['ip-upload'] });
    const without = await gatehouse.api.post('/v1/users', { body: registration(), headers });
    expect([without.status, without.headers.get('ratelimit')]).toEqual([201, expect.stringContaining('"ip-hash";r=')]);
  });

  test('a change of password also counts as a login', async () => {
    const { id, token: own } = await newPerson(gatehouse);
    const body = { currentPassword: 'not mine', password: 'something quite new 7391' };
    const change = () => gatehouse.api.put(`/v1/users/${id}/password`, { token: own, body, headers: from() });
    const answers = await repeat(4, change);
    expect(answers.at(-1)?.status).toBe(429);
    expect(answers.at(-1)?.body['violated-policies']).toEqual(['user-login']);
  });
});

describe('before its body is read', () => {
  test.for([
    ['POST /v1/messages'],
    ['PATCH /v1/users/me'],
    ['DELETE /v1/users/me'],
    ['PUT /v1/users/me/password'],
    ['POST /v1/services'],
    ['POST /v1/users/import'],
    ['PUT /v1/users/me/avatar'],
    ['POST /v1/auth/logout-all'],
  ])('%s is refused without a token or with a bad one', async ([line = '']) => {
    expect(await answerTo(line, forwarded())).toBe('401 authentication-required');
    expect(await answerTo(line, forwarded(), 'Authorization: Bearer guess')).toBe('401 invalid-token');
  });

  test('a user is refused what is for administrators', async () => {
    const { token: own } = await newPerson(gatehouse);
    for (const line of ['POST /v1/services', 'POST /v1/users/import', 'POST /v1/auth/explain']) {
      expect(await answerTo(line, forwarded(), `Authorization: Bearer ${own}`)).toBe('403 forbidden');
    }
  });

  test('a service with a bad key is refused', async () => {
    const line = 'POST /v1/auth/introspect';
    expect(await answerTo(line, forwarded(), 'X-Service-Key: shop.guess')).toBe('401 invalid-service-key');
    expect(await answerTo('POST /v1/auth/login', forwarded(), 'X-Service-Key: shop.guess')).toBe(
      '401 invalid-service-key',
    );
  });

  test('a request beyond the limit is refused', async () => {
    const headers = from();
    const body = { userName: 'nobody', password: 'x' };
    await repeat(logins, () => gatehouse.api.post('/v1/auth/login', { body, headers }));
    const address = `X-Forwarded-For: ${headers['x-forwarded-for']}`;
    expect(await answerTo('POST /v1/auth/login', address)).toBe('429 rate-limited');
  });

  test('a refused caller is not told what is wrong with the body', async () => {
    const call = { body: '{"body":', token: 'guess', headers: from() };
    expect((await gatehouse.api.post('/v1/messages', call)).body.code).toBe('invalid-token');
  });
});

test.for([
  ['POST /v1/auth/login', 'a=b', 'Content-Type: text/plain', 'application/json'],
  ['POST /v1/users', 'a', 'Content-Type: image/png', 'application/json, multipart/form-data'],
  ['PATCH /v1/users/me', 'a', 'Content-Type: text/plain', 'application/json, application/merge-patch+json'],
  ['PUT /v1/users/me/avatar', 'a', 'Content-Type: image/png', 'multipart/form-data'],
  ['PUT /v1/users/me/avatar', '{}', json, 'multipart/form-data'],
  ['POST /v1/auth/login', '--a--', 'Content-Type: multipart/form-data; boundary=a', 'application/json'],
  ['POST /graphql', 'a', 'Content-Type: application/graphql', 'application/json'],
] as const)('%s with %s as %s is told that %s is taken', async ([line, body, type, taken]) => {
  const headers = [type, `Authorization: Bearer ${token}`];
  const [answer] = await exchange(gatehouse.url, request(line, { headers, body }));
  expect([answer?.status, answer?.body.code]).toEqual([415, 'unsupported-media-type']);
  expect(answer?.headers.get('accept')).toBe(taken);
  for (const name of taken.split(', ')) expect(answer?.body.detail).toContain(`\`${name}\``);
});

test.for([
  ['POST /v1/auth/login', json],
  ['POST /graphql', json],
  ['POST /v1/users', 'Content-Type: multipart/form-data; boundary=a'],
  ['PUT /v1/users/me/avatar', 'Content-Type: multipart/form-data; boundary=a'],
] as const)('%s takes no compressed body, and says so', async ([line, type]) => {
  const headers = [type, `Authorization: Bearer ${token}`, 'Content-Encoding: gzip'];
  const [answer] = await exchange(gatehouse.url, request(line, { headers, body: '{}' }));
  expect([answer?.status, answer?.body.code]).toEqual([415, 'unsupported-media-type']);
  expect(answer?.headers.get('accept-encoding')).toBe('identity');
});

test('an import takes rows in gzip, and no other coding', async () => {
  const headers = ['Content-Type: text/csv', `Authorization: Bearer ${token}`, 'Content-Encoding: br'];
  const [answer] = await exchange(gatehouse.url, request('POST /v1/users/import', { headers, body: '{}' }));
  expect([answer?.status, answer?.headers.get('accept-encoding')]).toEqual([415, 'gzip, x-gzip, identity']);
});

test('a caller whose trust ends while the body is on its way is refused once it is there', async () => {
  const person = await newPerson(gatehouse);
  const body = JSON.stringify({ firstName: 'Eve' });
  const socket = await openSocket(gatehouse.url);
  const head = ['PATCH /v1/users/me HTTP/1.1', 'Host: a', json, `Content-Length: ${body.length}`];
  socket.write(`${[...head, `Authorization: Bearer ${person.token}`].join('\r\n')}\r\n\r\n${body.slice(0, 5)}`);
  // sent later and answered: the guards have seen the head by then
  await expect.poll(async () => (await gatehouse.api.get('/v1/users/me', { token: person.token })).status).toBe(200);
  expect((await gatehouse.api.post('/v1/auth/logout', { token: person.token })).status).toBe(204);
  socket.write(body.slice(5));
  const [bytes] = await once(socket, 'data');
  socket.destroy();
  expect(String(bytes)).toMatch(/^HTTP\/1\.1 401 .*"code":"invalid-token"/s);
});

const bySecret = {
  'its key': ({ headers }: Service) => `X-Service-Key: ${headers['x-service-key']}`,
  Basic: ({ name, secret }: Service) => `Authorization: ${basic(name, secret).authorization}`,
};

test.for([
  ['is deactivated', 'PATCH', '', { status: 'deactivated' }, '401 invalid_client'],
  ['loses its scope', 'PATCH', '', { scopes: [] }, '403 insufficient_scope'],
  ['loses its secret', 'POST', '/secret?revoke=true', undefined, '401 invalid_client'],
  ['keeps all it had', 'PATCH', '', { description: 'new' }, '200'],
] as const)('a service that %s while the body is on its way may do what it may then', async (change) => {
  const [, method, path, body, expected] = change;
  for (const way of Object.values(bySecret)) {
    const service = await newService(gatehouse, { token, scopes: ['tokens:introspect'] });
    const socket = await openSocket(gatehouse.url);
    const type = 'Content-Type: application/x-www-form-urlencoded';
    const head = ['POST /v1/auth/introspect HTTP/1.1', 'Host: a', 'Content-Length: 7', type, way(service)];
    socket.write(`${head.join('\r\n')}\r\n\r\ntok`);
    // sent later and answered: the guards have seen the head by then
    expect((await gatehouse.api.call(method, `/v1/services/${service.name}${path}`, { token, body })).status).toBe(200);
    socket.write('en=a');
    const [bytes] = await once(socket, 'data');
    socket.destroy();
    const [, status, error = ''] = /^HTTP\/1\.1 (\d+) .*?\{(?:"error":"(\w+)")?/s.exec(String(bytes)) ?? [];
    expect(`${status} ${error}`.trim()).toBe(expected);
  }
});
