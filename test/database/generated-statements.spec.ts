import { resolve } from 'node:path';

import { afterAll, beforeAll, expect, test, vi } from 'vitest';

import { Sql } from '#libs/platform/database';

import { newMessage } from '../support/messages.js';
import { newPerson, registration, signInAdmin } from '../support/people.js';
import { newService } from '../support/services.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse({ own: true });
const texts: string[] = [];

beforeAll(() => {
  const sql: any = gatehouse.app.get(Sql);
  for (const method of ['rows', 'tuples']) {
    const original = sql[method].bind(sql);
    vi.spyOn(sql, method).mockImplementation((...asked: any[]) => {
      texts.push(asked[0].text);
      return original(...asked);
    });
  }
});
afterAll(() => {
  vi.restoreAllMocks();
});

/** What a replica asks for itself at its own times, whatever is asked of it. */
const ownStatements =
  /pg_notify|clock_timestamp|service_usage|access_token_lifetimes|leased_until|tablesample|pg_database/;
/** Lines as they are, without the indent that is of the source alone. */
const tidy = (text: string): string =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join('\n');

/** The statements that a request is the first to send, below its name. */
async function section(name: string, ask: () => Promise<unknown>, known: Set<string>): Promise<string> {
  texts.length = 0;
  await ask();
  const found = texts.map(tidy).filter((text) => !ownStatements.test(text) && !known.has(text));
  const fresh = [...new Set(found)].toSorted();
  for (const text of fresh) known.add(text);
  return [`-- ${name}`, ...fresh.map((text) => `${text};`)].join('\n');
}

test('statements.sql has the final text of the statements that are composed', async () => {
  const { api } = gatehouse;
  const { token } = await signInAdmin(gatehouse);
  const person = await newPerson(gatehouse);
  const { headers } = await newService(gatehouse, {
    token,
    scopes: ['tokens:introspect', 'users:read', 'revocations:read'],
  });
  const list = (query: string) => (): Promise<unknown> => api.get(`/v1/users?${query}`, { token });
  const wrong = { userName: person.userName, password: 'not the password' };
  const message = await newMessage(gatehouse, { token, maxReads: 1 });
  const unlimited = await newMessage(gatehouse, { token });
  const form = new URLSearchParams({ token: person.refreshToken });
  const requests: readonly [string, () => Promise<unknown>][] = [
    ['POST /v1/users', () => api.post('/v1/users', { body: registration() })],
    ['POST /v1/auth/login', () => api.post('/v1/auth/login', { body: { ...wrong, password: person.password } })],
    ['POST /v1/auth/login, wrong password', () => api.post('/v1/auth/login', { body: wrong })],
    ['POST /v1/auth/refresh', () => api.post('/v1/auth/refresh', { body: { refreshToken: person.refreshToken } })],
    ['POST /v1/auth/introspect, refresh token', () => api.post('/v1/auth/introspect', { body: form, headers })],
    ['GET /v1/users/me', () => api.get('/v1/users/me', { token: person.token })],
    ['GET /v1/users/by-user-name/{userName}', () => api.get(`/v1/users/by-user-name/${person.userName}`, { token })],
    ['GET /v1/users', list('')],
    ['GET /v1/users?sort=-userName', list('sort=-userName')],
    ['GET /v1/users?status=&role=', list('status=active&role=admin')],
    ['GET /v1/users?createdAfter=', list('createdAfter=2020-01-01T00:00:00Z&sort=createdAt')],
    ['GET /v1/users?q=', list('q=lovelace')],
    ['GET /v1/users?q=&count=exact', list('q=ada&count=exact')],
    ['GET /v1/users?count=estimated', list('count=estimated')],
    ['GET /v1/auth/sessions', () => api.get('/v1/auth/sessions', { token })],
    ['GET /v1/audit', () => api.get(`/v1/audit?userId=${person.id}`, { token })],
    ['GET /v1/auth/revocations', () => api.get('/v1/auth/revocations', { headers })],
    ['GET /v1/messages', () => api.get('/v1/messages', { token })],
    ['GET /v1/messages/{token}', () => api.get(unlimited.path, { token })],
    ['POST /v1/messages/{token}/reveal', () => api.post(`${message.path}/reveal`, { token })],
    ['DELETE /v1/messages/{token}', () => api.delete(unlimited.path, { token })],
  ];
  const known = new Set<string>();
  const sections: string[] = [];
  for (const [name, ask] of requests) sections.push(await section(name, ask, known));
  await expect(`${sections.join('\n\n')}\n`).toMatchFileSnapshot(resolve(import.meta.dirname, 'statements.sql'));
});
