import { SqlEntityManager } from '@mikro-orm/sql';
import { beforeAll, describe, expect, test } from 'vitest';

import { newMessage } from '../support/messages.js';
import { newPerson, type Person, signInAdmin } from '../support/people.js';
import { newService, type Service } from '../support/services.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse({
  environment: { MESSAGE_LIMIT_USER_BYTES: '100000', MESSAGE_LIMIT_SERVICE_COUNT: '3' },
});
let [sender, reader]: Person[] = [];
let bossToken: string;
let writing: Service;

beforeAll(async () => {
  [sender, reader] = [await newPerson(gatehouse), await newPerson(gatehouse)];
  bossToken = (await signInAdmin(gatehouse)).token;
  writing = await newService(gatehouse, { token: bossToken, scopes: ['messages:write'] });
});

const send = (fields: Record<string, unknown> = {}) => newMessage(gatehouse, { token: sender?.token ?? '', ...fields });
const sql = (statement: string, values: unknown[] = []): Promise<any[]> =>
  gatehouse.app.get(SqlEntityManager).fork().execute(statement, values);
const codeOf = ({ status, body }: { status: number; body: any }) => [status, body.code];

describe('a sender', () => {
  test('sees what was sent and whether it was read, page by page, and never a body or a token', async () => {
    const person = await newPerson(gatehouse);
    const sent = [];
    for (const body of ['first marker', 'second marker', 'third marker']) {
      sent.push(await newMessage(gatehouse, { token: person.token, body, maxReads: 1 }));
    }
    await gatehouse.api.post(`${sent[1]?.path}/reveal`);
    const items: any[] = [];
    for (let path: string | undefined = '/v1/messages?limit=2'; path !== undefined;) {
      const page = await gatehouse.api.get(path, { token: person.token });
      items.push(...page.body.items);
      expect(page.text).not.toMatch(/marker/);
      for (const { token: secret } of sent) expect(page.text).not.toContain(secret);
      path = /<([^>]+)>/.exec(page.headers.get('link') ?? '')?.[1];
    }
    expect(new Set(items.map(({ id }) => id))).toEqual(new Set(sent.map(({ id }) => id)));
    const read = items.filter(({ reads }) => reads > 0);
    expect(read).toEqual([
      expect.objectContaining({ id: sent[1]?.id, reads: 1, readsLeft: 0, lastReadAt: expect.any(String) }),
    ]);
    expect((await gatehouse.api.get('/v1/messages', { token: reader?.token })).body.items).toEqual([]);
  });

  test('may have only so many; what is deleted or over makes room, what is read does not', async () => {
    const { headers } = writing;
    const open = (await gatehouse.api.get('/v1/messages', { headers })).body.items.length;
    const sent = [];
    for (let count = open; count < 3; count++) sent.push(await newMessage(gatehouse, { headers, maxReads: 1 }));
    const body = { body: 'one too many' };
    const refused = await gatehouse.api.post('/v1/messages', { headers, body });
    expect(codeOf(refused)).toEqual([429, 'too-many-messages']);
    expect(refused.body.detail).toContain('3 messages');
    await gatehouse.api.post(`${sent[0]?.path}/reveal`);
    expect(codeOf(await gatehouse.api.post('/v1/messages', { headers, body }))).toEqual([429, 'too-many-messages']);
    await gatehouse.api.delete(`/v1/messages/${sent[0]?.id}`, { headers });
    await newMessage(gatehouse, { headers });
    await gatehouse.api.delete(`/v1/messages/${sent[1]?.id}`, { headers });
    await newMessage(gatehouse, { headers });
    expect((await gatehouse.api.post('/v1/messages', { headers, body })).status).toBe(429);
    await sql(`update messages set expires_at = now() where sender = ?`, [`service:${writing.name}`]);
    await newMessage(gatehouse, { headers });
  });

  test('may have only so many bytes open, in one message 64 KiB of UTF-8', async () => {
    const person = await newPerson(gatehouse);
    const post = (body: string) => gatehouse.api.post('/v1/messages', { token: person.token, body: { body } });
    const tooLarge = await post('ü'.repeat(32_768) + '!');
    expect(codeOf(tooLarge)).toEqual([413, 'body-too-large']);
    expect(tooLarge.body.detail).toContain('64 KiB');
    expect((await post('ü'.repeat(32_768))).status).toBe(201);
    expect(codeOf(await post('x'.repeat(40_000)))).toEqual([429, 'too-many-messages']);
    expect((await post('x'.repeat(34_464))).status).toBe(201);
    const huge = await post('x'.repeat(500_000));
    expect(codeOf(huge)).toEqual([413, 'body-too-large']);
    // each character as an escape of six
    const escaped = `{"body":"${String.raw`\u0041`.repeat(65_536)}"}`;
    const another = await newPerson(gatehouse);
    const answer = await gatehouse.api.post('/v1/messages', { token: another.token, body: escaped });
    expect(answer.status, answer.text).toBe(201);
  });
});

test('an export tells of the messages from and to a user, and not what they say', async () => {
  const [from, to] = [await newPerson(gatehouse), await newPerson(gatehouse)];
  const { id, token: secret } = await newMessage(gatehouse, {
    token: from.token,
    recipientId: to.id,
    body: 'exported marker',
  });
  const [sent, received] = [
    await gatehouse.api.get('/v1/users/me/export', { token: from.token }),
    await gatehouse.api.get('/v1/users/me/export', { token: to.token }),
  ];
  const row = expect.objectContaining({ id, reads: 0, createdAt: expect.any(String), expiresAt: expect.any(String) });
  expect([sent.body.sentMessages, sent.body.receivedMessages]).toEqual([[row], []]);
  expect([received.body.sentMessages, received.body.receivedMessages]).toEqual([[], [row]]);
  for (const { text } of [sent, received]) {
    for (const hidden of ['exported marker', secret]) expect(text).not.toContain(hidden);
  }
  expect(received.text).not.toContain(from.id);
});

test('the messages to and from a user go with the user', async () => {
  const [from, to] = [await newPerson(gatehouse), await newPerson(gatehouse)];
  const ids = [
    await newMessage(gatehouse, { token: from.token, recipientId: to.id }),
    await newMessage(gatehouse, { token: from.token }),
    await newMessage(gatehouse, { token: to.token, recipientId: from.id }),
  ].map(({ id }) => id);
  const left = async () => (await sql('select id from messages where id in (?, ?, ?)', ids)).length;
  await gatehouse.api.delete('/v1/users/me', { token: to.token });
  expect(await left()).toBe(1);
  await gatehouse.api.delete('/v1/users/me', { token: from.token });
  expect(await left()).toBe(0);
});

test('12 programs that look at links for a preview use nothing up', async () => {
  const userAgents = [
    'Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)',
    'facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)',
    'Twitterbot/1.0',
    'WhatsApp/2.23.20.0',
    'TelegramBot (like TwitterBot)',
    'Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)',
    'LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)',
    'Mozilla/5.0 SkypeUriPreview Preview/0.5 skype-url-preview@microsoft.com',
    'Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5 Microsoft Teams',
    'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
    'Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)',
    'Mozilla/5.0 (Macintosh; Intel Mac OS X) AppleWebKit/601 (KHTML) Applebot/0.1 iMessagePreview',
  ];
  const { path, url, id } = await send({ body: 'previewed?', maxReads: 1 });
  const page = `${gatehouse.url}${new URL(url).pathname}`;
  for (const userAgent of userAgents) {
    for (const method of ['GET', 'HEAD']) {
      for (const target of [page, gatehouse.url + path]) {
        const answer = await fetch(target, { method, headers: { 'user-agent': userAgent } });
        expect(answer.status, `${method} ${target}`).toBe(200);
        expect(await answer.text()).not.toContain('previewed?');
      }
    }
  }
  expect(await sql('select reads, reads_left from messages where id = ?', [id])).toEqual([{ reads: 0, reads_left: 1 }]);
  expect((await gatehouse.api.post(`${path}/reveal`)).body.body).toBe('previewed?');
});

test('what happens to a message is on record, without its content and its token', async () => {
  const person = await newPerson(gatehouse);
  const [read, gone] = [
    await newMessage(gatehouse, { token: person.token, body: 'audited marker', maxReads: 1 }),
    await newMessage(gatehouse, { token: person.token, body: 'audited marker' }),
  ];
  await gatehouse.api.post(`${read.path}/reveal`, { token: reader?.token });
  await gatehouse.api.delete(gone.path);
  const trail: any[] = [];
  for (const event of ['message-created', 'message-revealed', 'message-deleted']) {
    const { body, text } = await gatehouse.api.get(`/v1/audit?limit=100&event=${event}`, { token: bossToken });
    trail.push(...body.items.filter(({ details }: any) => [read.id, gone.id].includes(details.messageId)));
    expect(text).not.toContain('audited marker');
    for (const { token: secret } of [read, gone]) expect(text).not.toContain(secret);
  }
  expect(trail.map(({ event, caller, userId }) => [event, caller, userId])).toEqual([
    ['message-created', `user:${person.id}`, person.id],
    ['message-created', `user:${person.id}`, person.id],
    ['message-revealed', `user:${reader?.id}`, reader?.id],
    ['message-deleted', 'anonymous', null],
  ]);
});

test('no token of a URL gets into the log, nor into an answer, however the address is mistyped', async () => {
  const { path, token: secret } = await send();
  const { api } = gatehouse;
  const answers = [
    await api.get(path),
    await api.post(`${path}/reveal`, { headers: { authorization: 'Bearer made-up' } }),
    await api.put(path),
    await api.get(`${path}/reveal`),
    await api.post(`${path}/revael`),
    await api.get(`/m/${secret}`),
    await api.get(`/v1/messages/%00${secret}`),
    await api.get(`/v1/messages/%zz${secret}`),
    await api.post(`/v1/messages/${secret}/reveal?x=%zz`),
    await api.delete(path, { headers: { 'x-service-key': 'a' } }),
    await api.delete(path),
    await api.delete(path),
  ];
  await fetch(gatehouse.url + path, { method: 'HEAD' });
  await fetch(`${gatehouse.url}/m?${secret}`);
  for (const { text, status } of answers) expect([status, text.includes(secret)]).toEqual([status, false]);
  const lines = () => gatehouse.log.filter(({ route }) => String(route).startsWith('/v1/messages/:token'));
  await expect.poll(() => lines().some(({ method }) => method === 'HEAD')).toBe(true);
  expect(gatehouse.log.map((line) => JSON.stringify(line)).join('\n')).not.toContain(secret);
});

test('the pages are closed to everything from elsewhere and to search engines', async () => {
  for (const path of ['/m', '/m/new', '/m/messages.js', '/m/messages.css']) {
    const answer = await fetch(gatehouse.url + path);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(answer.headers.get('content-security-policy')).toMatch(/^default-src 'none'/);
    const text = await answer.text();
    if (path.includes('.')) continue;
    expect(answer.headers.get('x-robots-tag')).toMatch(/noindex/);
    expect(text).not.toMatch(/https?:\/\/|<script>|<style|style=|\son\w+=/);
  }
});

const follow = (path: string, accept = 'text/html,*/*;q=0.8'): Promise<Response> =>
  fetch(gatehouse.url + path, { redirect: 'manual', headers: { accept } });

describe('a link that was rewritten on its way', () => {
  const token = 'aZ09-_aZ09-_aZ09-_aZ09-_aZ09-_aZ09-_aZ09-_a';

  test.each([
    `/m%23${token}`,
    `/m%2523${token}`,
    `/m%252523${token}`,
    `/m/%23${token}`,
    `/m/${token}`,
    `/m/${token}/`,
    `/m%23${token}.`,
    `/m%23${token}%3E`,
    `/m%23${token}&utm_source=x`,
    `/m%23${token}?fbclid=x`,
  ])('leads to the message, and its token is in no log: %s', async (path) => {
    const answer = await follow(path);
    expect([answer.status, answer.headers.get('location')]).toEqual([302, `/m#${token}`]);
    expect(await (await fetch(gatehouse.url + path)).text()).toContain('data-page="read"');
    expect(gatehouse.log.map((line) => JSON.stringify(line)).join('\n')).not.toContain(token);
  });

  test.each(['/m/', '/m/nothing', `/m%23${token.slice(1)}`, '/m&utm_source=x', '/m/new/'])(
    'leads a browser to the page that says so where there is no token in it: %s',
    async (path) => {
      const answer = await follow(path);
      expect([answer.status, answer.headers.get('location')]).toEqual([302, '/m']);
      const refused = await follow(path, 'application/json');
      expect([refused.status, refused.headers.get('content-type')]).toEqual([
        404,
        'application/problem+json; charset=utf-8',
      ]);
    },
  );
});
