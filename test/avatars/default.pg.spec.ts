import { beforeAll, expect, test } from 'vitest';

import type { Answer } from '../support/api.js';
import { fetchPicture, inSize, picture, putAvatar } from '../support/images.js';
import { newPerson, type Person } from '../support/people.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse();
let person: Person;

beforeAll(async () => {
  person = await newPerson(gatehouse, { firstName: '<Ada>', lastName: 'כהן & Söhne' });
});

const show = (query = '', headers: Record<string, string> = {}, id = 'me'): Promise<Answer> =>
  gatehouse.api.get(`/v1/users/${id}/avatar${query}`, { token: person.token, headers });

test('a user without a picture has none, or initials if those are asked for', async () => {
  expect([(await show()).status, (await show()).body.code]).toEqual([404, 'avatar-not-found']);
  const { status, text, headers } = await show('?default=initials&size=64');
  expect(status).toBe(200);
  expect(text).toMatch(/^<svg [^>]*width="64" [^>]*><rect [^>]*\/><text [^>]*>&lt;כ<\/text><\/svg>$/);
  expect(Object.fromEntries(headers)).toMatchObject({
    'content-type': 'image/svg+xml; charset=utf-8',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'; sandbox",
    'x-content-type-options': 'nosniff',
    'cache-control': 'private, no-cache',
  });
  const again = await show('?default=initials&size=64', { 'if-none-match': headers.get('etag') ?? '' });
  expect([again.status, again.text]).toEqual([304, '']);
});

test('a user with a picture is redirected to it, also when initials are asked for', async () => {
  const { url } = (await putAvatar(gatehouse, 'me', await picture().png().toBuffer(), person)).body.avatar;
  const { status, headers } = await show('?default=initials&size=512');
  expect([status, headers.get('location')]).toEqual([302, inSize(url, 512)]);
  expect((await fetchPicture(gatehouse, headers.get('location') ?? '')).status).toBe(200);
  expect((await show()).headers.get('location')).toBe(url);
});

test('initials are hidden from whoever may not read the user', async () => {
  const stranger = await newPerson(gatehouse);
  const path = `/v1/users/${person.id}/avatar?default=initials`;
  expect((await gatehouse.api.get(path)).status).toBe(401);
  expect((await gatehouse.api.get(path, stranger)).status).toBe(403);
});

test.each(['?default=robots', '?size=100', '?shape=round'])('%s is not known', async (query) => {
  expect((await show(query)).body.code).toBe('invalid-request');
});
