import { expect, test } from 'vitest';

import { startGatehouse } from '../support/start-gatehouse.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse();

const browser = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' };

test('a browser at / is shown what there is, and every link on the page leads somewhere', async () => {
  const { status, headers, text } = await gatehouse.api.get('/', { headers: browser });
  expect([status, headers.get('content-type'), headers.get('vary')]).toEqual([
    200,
    'text/html; charset=utf-8',
    'Accept',
  ]);
  for (const word of ['docs', 'graphql', 'health/ready', 'first-admin-password', 'npm run cli -- admin reset']) {
    expect(text).toContain(word);
  }
  for (const [, path = ''] of text.matchAll(/href="(?!data:)([^"]+)"/g)) {
    expect(path).not.toMatch(/^\/|:/);
    expect((await fetch(`${gatehouse.url}/${path}`, { headers: browser })).status, path).toBe(200);
  }
});

test('the page runs nothing and takes nothing from elsewhere', async () => {
  const { headers, text } = await gatehouse.api.get('/', { headers: browser });
  expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'self';/);
  expect(text).not.toMatch(/<script|<style|style=|\son\w+=|https?:\/\//);
});

test('HEAD has the same headers', async () => {
  const { status, headers } = await fetch(gatehouse.url, { method: 'HEAD', headers: browser });
  expect([status, headers.get('content-type'), headers.get('vary')]).toEqual([
    200,
    'text/html; charset=utf-8',
    'Accept',
  ]);
});

test.each(['*/*', 'application/json', ''])('others get the problem document: Accept %j', async (accept) => {
  const { status, headers, body } = await gatehouse.api.get('/', { headers: { accept } });
  expect([status, headers.get('content-type'), headers.get('vary'), body.code]).toEqual([
    404,
    'application/problem+json; charset=utf-8',
    'Accept',
    'not-found',
  ]);
});

test('GraphiQL is named only where it is', async () => {
  const off = await startGatehouse({ GRAPHQL: 'off' });
  const { text } = await off.api.get('/', { headers: browser });
  await off.stop();
  expect(text).not.toContain('graphql');
});

test('the explorer lists auth and users first', async () => {
  const { tags, paths } = (await gatehouse.api.get('/openapi.json')).body;
  const names = tags.map(({ name }: { name: string }) => name);
  expect(names.slice(0, 2)).toEqual(['auth', 'users']);
  const used = Object.values<object>(paths).flatMap((item) =>
    Object.values(item).flatMap((operation) => operation.tags),
  );
  expect(new Set(names)).toEqual(new Set(used));
});

test('the page for a forgotten password is named while mail is on, and else not', async () => {
  const off = await gatehouse.api.get('/', { headers: browser });
  expect(off.text).not.toContain('account/reset');
  const sending = await startGatehouse({ MAIL: 'smtp', SMTP_URL: 'smtp://127.0.0.1:1', MAIL_FROM: 'id@example.org' });
  const on = await sending.api.get('/', { headers: browser });
  const page = await fetch(`${sending.url}/account/reset`);
  await sending.stop();
  expect(on.text).toContain('<a href="account/reset">Forgotten password</a>');
  expect(page.status).toBe(200);
});
