import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';

import type { Answer } from '../support/api.js';
import { fetchPicture, form, inSize, picture, putAvatar } from '../support/images.js';
import { newPerson, type Person, signInAdmin } from '../support/people.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse();
let boss: string;
let person: Person;
let other: Person;

beforeAll(async () => {
  boss = (await signInAdmin(gatehouse)).token;
  [person, other] = [await newPerson(gatehouse), await newPerson(gatehouse)];
});

const outcome = ({ status, body }: Answer): unknown[] => [status, body.code];
const get = (id: string, token = boss): Promise<Answer> => gatehouse.api.get(`/v1/users/${id}`, { token });
const put = (file: Uint8Array, token = person.token): Promise<Answer> => putAvatar(gatehouse, 'me', file, { token });
const removeAvatar = (id: string, token: string) => gatehouse.api.delete(`/v1/users/${id}/avatar`, { token });

/** A picture that nobody else has, given to the user; the address of it. */
async function given(token = person.token): Promise<string> {
  const { status, body, text } = await put(await picture().png().toBuffer(), token);
  expect(status, text).toBe(200);
  return body.avatar.url;
}

describe('a picture', () => {
  test('is answered with the user, its address and the new version', async () => {
    const before = await get('me', person.token);
    expect(before.body.avatar).toBeNull();
    const { status, body, headers } = await put(await picture().jpeg().toBuffer());
    expect(status).toBe(200);
    const url = expect.stringMatching(/^http:\/\/gatehouse\.test\/v1\/avatars\/[0-9a-f]{64}-256\.webp$/);
    expect(body).toEqual({ ...before.body, avatar: { url, sizes: [64, 256, 512] }, updatedAt: expect.any(String) });
    expect(headers.get('etag')).not.toBe(before.headers.get('etag'));
    const after = await get('me', person.token);
    expect([after.text, after.headers.get('etag')]).toEqual([JSON.stringify(body), headers.get('etag')]);
    expect((await gatehouse.api.get('/v1/users?limit=100', { token: boss })).body.items).toContainEqual(body);
  });

  test.each(['png', 'jpeg', 'webp', 'gif', 'avif'] as const)('in %s is taken, by its content', async (format) => {
    const { status, body } = await put(await picture(300, 200).toFormat(format).toBuffer());
    expect(status).toBe(200);
    for (const size of body.avatar.sizes) {
      const { bytes } = await fetchPicture(gatehouse, inSize(body.avatar.url, size));
      expect(await sharp(bytes).metadata()).toMatchObject({ format: 'webp', width: size, height: size });
    }
  });

  test('may be kept for ever, shown by any page, and never sent twice', async () => {
    const url = await given();
    const { status, headers } = await fetchPicture(gatehouse, url);
    expect([status, Object.fromEntries(headers)]).toEqual([
      200,
      expect.objectContaining({
        'content-type': 'image/webp',
        'cache-control': 'public, max-age=31536000, s-maxage=3600, immutable',
        'cross-origin-resource-policy': 'cross-origin',
        'x-content-type-options': 'nosniff',
        'content-security-policy': expect.stringContaining("default-src 'none'"),
        etag: expect.stringMatching(/^"[0-9a-f]{64}-256"$/),
      }),
    ]);
    const etag = headers.get('etag') ?? '';
    for (const known of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
      const again = await fetchPicture(gatehouse, url, { headers: { 'if-none-match': known } });
      expect([again.status, again.bytes.length, again.headers.get('etag')], known).toEqual([304, 0, etag]);
    }
    expect((await fetchPicture(gatehouse, url, { headers: { 'if-none-match': '"x"' } })).status).toBe(200);
  });

  test('answers HEAD with its length', async () => {
    const url = await given();
    const { bytes } = await fetchPicture(gatehouse, url);
    const { status, headers } = await fetchPicture(gatehouse, url, { method: 'HEAD' });
    expect([status, Number(headers.get('content-length'))]).toEqual([200, bytes.length]);
  });

  test('that the user already has changes nothing, not even the version', async () => {
    const file = await picture().png().toBuffer();
    const [first, second] = [await put(file), await put(file)];
    expect([second.text, second.headers.get('etag')]).toEqual([first.text, first.headers.get('etag')]);
  });

  test.each(['name-64.webp', `${'0'.repeat(64)}-256.webp`, `${'0'.repeat(64)}-100.webp`, `${'A'.repeat(64)}-64.webp`])(
    'that is not there is not found: %s',
    async (name) => {
      const answer = await gatehouse.api.get(`/v1/avatars/${name}`);
      expect([...outcome(answer), answer.headers.get('cache-control')]).toEqual([404, 'avatar-not-found', 'no-store']);
    },
  );
});

describe('what is stored', () => {
  test('has only pixels in it: no EXIF, no GPS, no XMP, no profile, no text', async () => {
    const file = await picture(400, 300)
      .withExif({ IFD0: { Artist: 'Ada Lovelace' }, IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '51/1 30/1 0/1' } })
      .withXmp('<x:xmpmeta xmlns:x="adobe:ns:meta/">at home</x:xmpmeta>')
      .withIccProfile('p3')
      .jpeg()
      .toBuffer();
    expect(await sharp(file).metadata()).toMatchObject({ exif: expect.anything(), xmp: expect.anything() });
    const { body } = await put(file);
    for (const size of body.avatar.sizes) {
      const { bytes } = await fetchPicture(gatehouse, inSize(body.avatar.url, size));
      const { exif, xmp, icc, iptc, comments } = await sharp(bytes).metadata();
      expect([exif, xmp, icc, iptc, comments]).toEqual([undefined, undefined, undefined, undefined, undefined]);
      expect(bytes.toString('latin1')).not.toMatch(/EXIF|XMP |ICCP|Lovelace|at home/);
    }
  });

  test('stands upright, and is the middle of the picture', async () => {
    // red, green and blue stripes from left to right; the camera was held turned by a quarter
    const stripes = await Promise.all(
      [
        { r: 255, g: 0, b: 0 },
        { r: 0, g: 255, b: 0 },
        { r: 0, g: 0, b: 255 },
      ].map(async (colour, at) => ({
        input: await picture(200, 200, colour).png().toBuffer(),
        left: at * 200,
        top: 0,
      })),
    );
    const wide = picture(600, 200).composite(stripes);
    const middle = async (file: Buffer): Promise<Buffer> => {
      const { bytes } = await fetchPicture(gatehouse, (await put(file)).body.avatar.url);
      return sharp(bytes).resize(1, 1).raw().toBuffer();
    };
    expect([...(await middle(await wide.png().toBuffer()))][1]).toBeGreaterThan(200);
    const tall = await picture(200, 100, { r: 255, g: 0, b: 0 })
      .composite([{ input: await picture(100, 100, { r: 0, g: 0, b: 255 }).png().toBuffer(), left: 100, top: 0 }])
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toBuffer();
    const { bytes } = await fetchPicture(gatehouse, (await put(tall)).body.avatar.url);
    const corners = await sharp(bytes).resize(2, 2, { kernel: 'nearest' }).raw().toBuffer();
    // turned clockwise: what was left is on top
    expect([corners[0], corners[3], corners[8], corners[11]].map((part) => Math.round((part ?? 0) / 255))).toEqual([
      1, 1, 1, 1,
    ]);
  });

  test('is there once for two users, and goes with the second of them', async () => {
    const file = await picture().png().toBuffer();
    const url = (await put(file)).body.avatar.url;
    expect((await put(file, other.token)).body.avatar.url).toBe(url);
    await removeAvatar('me', person.token);
    for (const size of [64, 512]) expect((await fetchPicture(gatehouse, inSize(url, size))).status).toBe(200);
    await removeAvatar('me', other.token);
    const headers = { 'if-none-match': `"${/[0-9a-f]{64}/.exec(url)?.[0]}-64"` };
    for (const init of [{}, { headers }]) {
      expect((await fetchPicture(gatehouse, inSize(url, 64), init)).status).toBe(404);
    }
  });

  test('goes when it is replaced', async () => {
    const old = await given();
    expect((await fetchPicture(gatehouse, old)).status).toBe(200);
    const url = await given();
    expect((await fetchPicture(gatehouse, url)).status).toBe(200);
    expect((await fetchPicture(gatehouse, old)).status).toBe(404);
  });

  test('goes with its user', async () => {
    const leaver = await newPerson(gatehouse);
    const url = await given(leaver.token);
    // asked for before, and so in memory
    expect((await fetchPicture(gatehouse, url)).status).toBe(200);
    expect((await gatehouse.api.delete(`/v1/users/${leaver.id}`, { token: boss })).status).toBe(204);
    expect((await fetchPicture(gatehouse, url)).status).toBe(404);
  });
});

describe('taking it away', () => {
  test('answers the user without it, once and again', async () => {
    await given();
    const { status, body, headers } = await removeAvatar('me', person.token);
    expect([status, body.avatar]).toEqual([200, null]);
    const again = await removeAvatar('me', person.token);
    expect([again.status, again.headers.get('etag')]).toEqual([200, headers.get('etag')]);
  });
});

describe('who may', () => {
  test('oneself and administrators; nobody else', async () => {
    const file = await picture().png().toBuffer();
    expect((await putAvatar(gatehouse, other.id, file, { token: boss })).status).toBe(200);
    expect(outcome(await putAvatar(gatehouse, other.id, file, { token: person.token }))).toEqual([403, 'forbidden']);
    expect(outcome(await removeAvatar(other.id, person.token))).toEqual([403, 'forbidden']);
    expect((await removeAvatar(other.id, boss)).body.avatar).toBeNull();
    expect((await putAvatar(gatehouse, other.id, file)).status).toBe(401);
  });

  test('an administrator hears that there is no such user', async () => {
    const nobody = '0190a6d4-7f3a-7c8b-9d1e-2f3a4b5c6d7e';
    const file = await picture().png().toBuffer();
    expect(outcome(await putAvatar(gatehouse, nobody, file, { token: boss }))).toEqual([404, 'user-not-found']);
    expect(outcome(await removeAvatar(nobody, boss))).toEqual([404, 'user-not-found']);
  });

  test('a caller who has read an older version is refused', async () => {
    const headers = { 'if-match': '"0"' };
    const call = { token: person.token, headers };
    const file = await picture().png().toBuffer();
    expect(outcome(await putAvatar(gatehouse, 'me', file, call))).toEqual([412, 'precondition-failed']);
    expect(outcome(await gatehouse.api.delete('/v1/users/me/avatar', call))).toEqual([412, 'precondition-failed']);
    const etag = (await get('me', person.token)).headers.get('etag') ?? '';
    expect(
      (await putAvatar(gatehouse, 'me', file, { token: person.token, headers: { 'if-match': etag } })).status,
    ).toBe(200);
  });
});

const send = async (body: unknown, headers?: Record<string, string>): Promise<Answer> =>
  gatehouse.api.put('/v1/users/me/avatar', { token: person.token, body, ...(headers && { headers }) });
const type = (boundary: string) => ({ 'content-type': `multipart/form-data${boundary}` });

describe('a form', () => {
  test('without the file, with another field or with further fields is refused', async () => {
    const file = await picture().png().toBuffer();
    const second = form(file);
    second.append('file', new Blob([Uint8Array.from(file)]), 'second.png');
    const none = new FormData();
    none.append('file', 'not a file');
    for (const [body, path] of [
      [form(file, 'avatar'), 'avatar'],
      [second, 'file'],
      [none, 'file'],
      [form(file, 'file', { note: 'hello' }), 'note'],
    ] as const) {
      const answer = await send(body);
      expect([...outcome(answer), answer.body.errors?.[0]?.path], path).toEqual([400, 'invalid-request', path]);
    }
  });

  test('that is malformed, or a body of another type, is refused', async () => {
    expect(outcome(await send('{}', { 'content-type': 'application/json' }))).toEqual([415, 'unsupported-media-type']);
    expect(outcome(await send('hello', type('')))).toEqual([400, 'malformed-multipart']);
    expect(outcome(await send('hello', type('; boundary=a')))).toEqual([400, 'malformed-multipart']);
    expect(outcome(await send('', type('; boundary=a')))).toEqual([400, 'malformed-multipart']);
    const parts = Array.from(
      { length: 40 },
      (_, at) => `--a\r\nContent-Disposition: form-data; name="f${at}"\r\n\r\nx\r\n`,
    );
    expect(outcome(await send(`${parts.join('')}--a--`, type('; boundary=a')))).toEqual([400, 'malformed-multipart']);
  });
});
