import sharp from 'sharp';
import { beforeAll, expect, test } from 'vitest';

import type { Answer } from '../support/api.js';
import { animatedAvif, enlargedJpeg } from '../support/image-bytes.js';
import { fetchPicture, picture, putAvatar } from '../support/images.js';
import { newPerson, type Person } from '../support/people.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse();
let person: Person;

beforeAll(async () => {
  person = await newPerson(gatehouse);
});

const outcome = ({ status, body }: Answer): unknown[] => [status, body.code];
const put = (file: Uint8Array): Promise<Answer> => putAvatar(gatehouse, 'me', file, { token: person.token });

test('the first frame of an animated AVIF is the picture', async () => {
  const { status, body } = await put(animatedAvif);
  expect(status).toBe(200);
  const { bytes } = await fetchPicture(gatehouse, body.avatar.url);
  const { dominant } = await sharp(bytes).stats();
  expect([dominant.r > 150, dominant.b < 100]).toEqual([true, true]);
});

test.for(['baseline', 'progressive'])('a JPEG that lacks its end marker is taken whole: %s', async (kind) => {
  const file = await picture(300, 200)
    .jpeg({ progressive: kind === 'progressive' })
    .toBuffer();
  expect(file.subarray(-2)).toEqual(Buffer.of(0xff, 0xd9));
  expect((await put(file.subarray(0, -2))).status).toBe(200);
  // a camera's thumbnail, which ends in a marker of its own, is not the end of the picture
  const thumbnail = Buffer.concat([Buffer.of(0xff, 0xe1, 0, 6), Buffer.of(0xff, 0xd9, 0xff, 0xd9)]);
  expect((await put(Buffer.concat([file.subarray(0, 2), thumbnail, file.subarray(2, -2)]))).status).toBe(200);
});

test('a JPEG with missing rows is refused', async () => {
  const noise = Buffer.from(Array.from({ length: 200 * 200 * 3 }, (_, at) => (at * at * 97) % 251));
  const file = await sharp(noise, { raw: { width: 200, height: 200, channels: 3 } })
    .jpeg()
    .toBuffer();
  const half = await put(file.subarray(0, file.length / 2));
  expect(outcome(half)).toEqual([422, 'unreadable-image']);
});

test('a telephone takes pictures of 8192 × 6144; for what is larger the answer names the limit', async () => {
  const small = await picture(16, 16).jpeg().toBuffer();
  // these say how large they are, and have next to no pixels
  expect((await put(enlargedJpeg(small, 8_192, 6_144))).status).toBe(200);
  const large = await put(enlargedJpeg(small, 9_000, 6_000));
  expect(outcome(large)).toEqual([422, 'image-too-large']);
  expect(large.body.detail).toMatch(/at most 51000000 pixels.*AVATAR_MAX_PIXELS/);
});
