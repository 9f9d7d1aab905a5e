import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';

import { beforeAll, describe, expect, test, vi } from 'vitest';

import { form, picture, putAvatar } from '../support/images.js';
import { newPerson, type Person } from '../support/people.js';
import { openSocket } from '../support/raw-http.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const limitBytes = 200_000;
const gatehouse = useGatehouse({ environment: { AVATAR_MAX_BYTES: String(limitBytes) } });
let person: Person;

beforeAll(async () => {
  person = await newPerson(gatehouse);
});

const boundary = 'gatehouse';
const head = (token: string, length: number | 'chunked'): string =>
  [
    'PUT /v1/users/me/avatar HTTP/1.1',
    'Host: gatehouse.test',
    `Authorization: Bearer ${token}`,
    `Content-Type: multipart/form-data; boundary=${boundary}`,
    length === 'chunked' ? 'Transfer-Encoding: chunked' : `Content-Length: ${length}`,
    '',
    '',
  ].join('\r\n');
const partHead = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n`;
const chunk = (bytes: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
const noise = (length: number): Buffer => Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), randomBytes(length)]);

/** The first answer on a connection, while it may still be sending. */
async function answerOn(socket: Socket): Promise<{ status: number; code: string }> {
  let text = '';
  for await (const bytes of socket.iterator({ destroyOnReturn: false })) {
    text += String(bytes);
    if (/\r\n\r\n.*"code":"[\w-]+".*\}/s.test(text)) break;
  }
  return { status: Number(text.slice(9, 12)), code: /"code":"([\w-]+)"/.exec(text)?.[1] ?? '' };
}

describe('a caller who may not upload, or sends too much, is answered before the body is complete', () => {
  test.for([
    ['without a good token', 'garbage', 413_000, 401, 'invalid-token'],
    ['with a length over the limit', '', 5_000_000, 413, 'body-too-large'],
    ['in pieces, without telling a length', '', 'chunked', 413, 'body-too-large'],
  ] as const)('%s', async ([, token, length, status, code]) => {
    const socket = await openSocket(gatehouse.url);
    const answer = answerOn(socket);
    socket.write(head(token === '' ? person.token : token, length));
    const piece = noise(20_000);
    const first = Buffer.concat([Buffer.from(partHead), piece]);
    socket.write(length === 'chunked' ? chunk(first) : first);
    if (length === 'chunked') for (let times = 0; times < 20; times++) socket.write(chunk(piece));
    expect(await answer).toEqual({ status, code });
    socket.destroy();
  });

  test('a client that goes on sending after the answer is cut off', async () => {
    const socket = await openSocket(gatehouse.url);
    const answer = answerOn(socket);
    socket.write(head(person.token, 5_000_000));
    expect((await answer).status).toBe(413);
    const sending = setInterval(() => socket.write(Buffer.alloc(10)), 20);
    socket.resume();
    // a cut may show as a reset before it shows as the end
    socket.on('error', () => undefined);
    await new Promise((resolve) => socket.once('close', resolve));
    clearInterval(sending);
  });

  test('a film is refused by its first bytes', async () => {
    const socket = await openSocket(gatehouse.url);
    const answer = answerOn(socket);
    socket.write(head(person.token, 150_000) + partHead);
    socket.write(Buffer.concat([Buffer.from('00000018667479706d703432', 'hex'), Buffer.alloc(100)]));
    expect(await answer).toEqual({ status: 415, code: 'unsupported-image' });
    socket.destroy();
  });

  test('a file of the limit is taken, one byte more is refused', async () => {
    const file = await picture().png().toBuffer();
    const padded = (length: number): Buffer => Buffer.concat([file, Buffer.alloc(length - file.length)]);
    const { token } = person;
    expect((await putAvatar(gatehouse, 'me', padded(limitBytes), { token })).status).toBe(200);
    const { status, body } = await putAvatar(gatehouse, 'me', padded(limitBytes + 1), { token });
    expect([status, body.code, body.detail]).toEqual([
      413,
      'body-too-large',
      `A file may have at most ${limitBytes} bytes.`,
    ]);
  });
});

test('an upload that is broken off is a 400 in the log, and no error', async () => {
  const before = gatehouse.log.length;
  const socket = await openSocket(gatehouse.url);
  socket.write(head(person.token, 100_000) + partHead);
  socket.write(noise(1_000));
  socket.end();
  socket.destroy();
  const line = await vi.waitFor(() => {
    const found = gatehouse.log.slice(before).find(({ msg, method }) => msg === 'request' && method === 'PUT');
    expect(found).toBeDefined();
    return found;
  });
  expect(line).toMatchObject({ status: 400, errorCode: 'bad-request', isClientGone: true });
  expect(gatehouse.log.slice(before).filter(({ level }) => level === 'error' || Number(level) >= 50)).toEqual([]);
});

test('many slow senders cannot fill the memory: what does not fit is told to come back', async () => {
  const slow = await Promise.all(
    Array.from({ length: 12 }, async () => {
      const socket = await openSocket(gatehouse.url);
      const answer = answerOn(socket);
      socket.write(head(person.token, limitBytes) + partHead);
      socket.write(noise(150_000));
      return { socket, answer };
    }),
  );
  // those that are within the budget are waited for; the others are answered at once
  const answers = await Promise.race(slow.map(({ answer }) => answer));
  expect(answers).toEqual({ status: 503, code: 'overloaded' });
  for (const { socket } of slow) socket.destroy();
  await vi.waitFor(async () => {
    const answer = await gatehouse.api.put('/v1/users/me/avatar', {
      token: person.token,
      body: form(await picture().png().toBuffer()),
    });
    expect(answer.status).toBe(200);
  });
});
