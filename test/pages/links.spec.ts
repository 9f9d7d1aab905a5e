import { describe, expect, test } from 'vitest';

import { sendForm } from '../support/account-pages.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse({ own: true });
const token = '0123456789abcdef0123456789abcdef01234567';
const pages = ['verify', 'reset', 'invitation'] as const;

test.each(pages)('/account/%s is kept nowhere, and closed to everything from elsewhere', async (page) => {
  for (const path of [`/account/${page}`, `/account/${page}?utm_source=x`]) {
    const answer = await fetch(gatehouse.url + path);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
    expect(answer.headers.get('x-robots-tag')).toMatch(/noindex/);
    expect(answer.headers.get('set-cookie')).toBeNull();
    const policy = answer.headers.get('content-security-policy') ?? '';
    expect(policy).toMatch(/^default-src 'none'.*require-trusted-types-for 'script'.*form-action 'self'$/);
    expect(policy).not.toContain('unsafe');
    const text = await answer.text();
    expect(text).not.toMatch(/https?:\/\/|<script>|<style|style=|\son\w+=/);
    expect((await fetch(gatehouse.url + path, { method: 'HEAD' })).status).toBe(200);
  }
});

const follow = (path: string, accept = 'text/html,*/*;q=0.8'): Promise<Response> =>
  fetch(gatehouse.url + path, { redirect: 'manual', headers: { accept } });

describe.each(pages)('a link to /account/%s that was rewritten on its way', (page) => {
  const at = `/account/${page}`;

  test.each([
    `%23${token}`,
    `%2523${token}`,
    `%252523${token}`,
    `/%23${token}`,
    `/${token}`,
    `/${token}/`,
    `%23${token.toUpperCase()}`,
    `%23${token}.`,
    `%23%3C${token}%3E`,
    `%23${token}&utm_source=x`,
    `%23${token}?fbclid=x`,
  ])('leads to the page, and its token is in no log: %s', async (rest) => {
    const answer = await follow(at + rest);
    expect([answer.status, answer.headers.get('location')]).toEqual([302, `${at}#${token}`]);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect((await fetch(gatehouse.url + at + rest)).status).toBe(200);
    expect(gatehouse.log.map((line) => JSON.stringify(line).toLowerCase()).join('\n')).not.toContain(token);
  });

  test.each(['/', '/nothing', `%23${token.slice(1)}`, '&utm_source=x'])(
    'leads a browser to the page where there is no token in it: %s',
    async (rest) => {
      const answer = await follow(at + rest);
      expect([answer.status, answer.headers.get('location')]).toEqual([302, at]);
      const refused = await follow(at + rest, 'application/json');
      expect([refused.status, refused.headers.get('content-type')]).toEqual([
        404,
        'application/problem+json; charset=utf-8',
      ]);
    },
  );
});

test.each(['/account/reset', '/account/verify/mail'])('while mail is off, the form of %s says so', async (path) => {
  const { status, text } = await sendForm(gatehouse, path, { email: 'ada@example.org' });
  expect([status, /role="alert"[^<]*>This installation sends no mail/.test(text)]).toEqual([403, true]);
});
