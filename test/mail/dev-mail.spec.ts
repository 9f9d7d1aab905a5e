import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

import { copyDatabase, type OwnDatabase } from '../support/copy-database.js';
import { newPerson } from '../support/people.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';

const MAIL_FROM = 'Example <id@example.org>';
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-'));
const started: Gatehouse[] = [];
let own: OwnDatabase;
let gatehouse: Gatehouse;

const start = async (environment: Record<string, string>, database?: OwnDatabase): Promise<Gatehouse> => {
  const here = { PUBLIC_URL: 'http://127.0.0.1:3000' };
  const service = await startGatehouse({ MAIL_FROM, ...here, ...environment }, database);
  started.push(service);
  return service;
};
const page = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${gatehouse.url}${path}`, { headers });

async function findMail(): Promise<string> {
  const list = await (await page('/dev/mail')).text();
  const [, id = ''] = /href="mail\/([^"]+)"[^>]*>Your password was changed/.exec(list) ?? [];
  expect(id).not.toBe('');
  return id;
}

beforeAll(async () => {
  own = await copyDatabase();
  gatehouse = await start({ MAIL: 'file' }, own);
});
afterAll(async () => {
  for (const service of started) await service.stop();
  await own?.drop();
  rmSync(folder, { recursive: true });
});

test('before the first mail the list says how to get one', async () => {
  const answer = await page('/dev/mail');
  expect(answer.status).toBe(200);
  expect(await answer.text()).toContain('npm run cli -- mail test you@example.org');
});

describe('a mail that was written', () => {
  let id = '';
  beforeAll(async () => {
    const person = await newPerson(gatehouse, { email: 'ada@bücher.example', firstName: '<img src=x> & "co"' });
    const body = { currentPassword: person.password, password: 'another plum tree 41' };
    await gatehouse.api.put(`/v1/users/${person.id}/password`, { token: person.token, body });
    id = await vi.waitFor(findMail, { timeout: 20_000, interval: 50 });
  });

  test('is in the list, with address and subject', async () => {
    const list = await (await page('/dev/mail')).text();
    expect(list).toContain('to ada@');
    expect(list).toContain('Your password was changed');
  });

  test('is shown as text, where nothing that people chose becomes markup', async () => {
    const answer = await page(`/dev/mail/${id}`);
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
    const text = await answer.text();
    expect(text).toContain('Hello &lt;img src=x&gt; &amp; &quot;co&quot;,');
    expect(text).toContain('<a href="http://127.0.0.1:3000"');
    expect(text).toMatch(/<iframe src="[^"]+\/html" sandbox=""/);
  });

  test('is shown as HTML that may do nothing', async () => {
    const answer = await page(`/dev/mail/${id}/html`);
    expect(answer.headers.get('content-security-policy')).toMatch(/^sandbox; default-src 'none'/);
    expect(await answer.text()).toContain('<h1>Your password was changed</h1>');
  });

  test('has its source', async () => {
    const answer = await page(`/dev/mail/${id}/source`);
    expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(await answer.text()).toContain(`Message-ID: <${id}@example.org>`);
  });
});

test.each(['nothing', '..%2fmaster-key', '%2e%2e%2fmaster-key', '..%5cmaster-key', 'a.eml', 'a'.repeat(65)])(
  'there is no mail %s',
  async (id) => {
    for (const path of ['', '/html', '/source']) expect((await page(`/dev/mail/${id}${path}`)).status).toBe(404);
  },
);

test.each([
  ['through a proxy', { 'x-forwarded-for': '203.0.113.7' }],
  ['through a proxy of RFC 7239', { forwarded: 'for=203.0.113.7' }],
  ['by the name of another host', { host: 'elsewhere.example' }],
])('whoever comes %s finds nothing', async (_, headers) => {
  const { hostname, port } = new URL(gatehouse.url);
  const [answer] = await once(get({ hostname, port, path: '/dev/mail', headers }), 'response');
  expect(answer.resume().statusCode).toBe(404);
});

test('a file that is no mail breaks nothing', async () => {
  const service = await start({ MAIL: 'file', DATA_DIR: folder });
  mkdirSync(join(folder, 'mail'), { recursive: true });
  writeFileSync(join(folder, 'mail', 'a.eml'), Buffer.from([0, 255, 13, 10, 13, 10]));
  writeFileSync(join(folder, 'mail', 'half.eml.part'), 'x');
  expect((await fetch(`${service.url}/dev/mail`)).status).toBe(200);
});

test.each([
  ['in production', { MAIL: 'file', NODE_ENV: 'production', MASTER_KEY: Buffer.alloc(32, 1).toString('base64') }],
  ['without MAIL=file', { MAIL: 'off' }],
  ['where the world calls it by another name', { MAIL: 'file', PUBLIC_URL: 'https://id.example.org' }],
])('%s there is no such page', async (_, environment) => {
  const service = await start(environment);
  for (const path of ['/dev/mail', '/dev/mail.css', '/dev/mail/a']) {
    expect((await fetch(`${service.url}${path}`)).status).toBe(404);
  }
});
