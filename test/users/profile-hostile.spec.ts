import { beforeAll, expect, test } from 'vitest';

import type { Answer } from '../support/api.js';
import { newPerson, type Person } from '../support/people.js';
import { useGatehouse } from '../support/use-gatehouse.js';

/** Without schemas: nothing but the size bounds an object. */
const gatehouse = useGatehouse();
let person: Person;

beforeAll(async () => {
  person = await newPerson(gatehouse);
});

/** As bytes, since no client library would write most of it. */
const patch = (body: string): Promise<Answer> =>
  gatehouse.api.patch('/v1/users/me', { token: person.token, body: Buffer.from(body) });
const read = async (): Promise<any> => (await gatehouse.api.get('/v1/users/me', { token: person.token })).body.profile;

test.for<[name: string, body: string, code: string]>([
  ['__proto__ at the top', '{"profile":{"__proto__":{"a":1}}}', 'invalid-request'],
  ['__proto__ within', '{"profile":{"a":[{"__proto__":{"isAdmin":true}}]}}', 'invalid-request'],
  ['__proto__ beside it', '{"__proto__":{"profile":{"a":1}}}', 'invalid-request'],
  ['an escaped __proto__', String.raw`{"profile":{"\u005f_proto__":1}}`, 'invalid-request'],
  ['a NUL', String.raw`{"profile":{"a":"\u0000"}}`, 'invalid-encoding'],
  ['a NUL in a name', String.raw`{"profile":{"a\u0000":1}}`, 'invalid-encoding'],
  ['a lone surrogate', String.raw`{"profile":{"a":"\ud800"}}`, 'invalid-encoding'],
  ['a number beyond doubles', '{"profile":{"a":1e400}}', 'invalid-request'],
  ['33 levels', `{"profile":{"a":${'['.repeat(31)}${']'.repeat(31)}}}`, 'json-too-deep'],
  ['a name of 60,000 letters', `{"profile":{"${'x'.repeat(60_000)}":1}}`, 'profile-too-large'],
  ['a body of 70,000 bytes', `{"profile":{"a":"${'x'.repeat(70_000)}"}}`, 'body-too-large'],
])('%s is refused', async ([, body, code]) => {
  expect((await patch(body)).body.code).toBe(code);
  expect(await read()).toEqual({});
});

test('32 levels, and names of members of every object, are kept as they are', async () => {
  const profile = `{"constructor":{"prototype":{"a":1}},"toString":"x","deep":${'['.repeat(30)}${']'.repeat(30)}}`;
  expect((await patch(`{"profile":${profile}}`)).status).toBe(200);
  expect(await read()).toEqual(JSON.parse(profile));
  expect((await patch('{"profile":{"constructor":{"prototype":null},"toString":null,"deep":null}}')).status).toBe(200);
  expect(await read()).toEqual({ constructor: {} });
  expect((await patch('{"profile":null}')).body.profile).toEqual({});
});

test('16,384 bytes are kept, and one more is not, however it is written', async () => {
  // {"a":"…"} has 8 bytes beside the text, the empty metadata 2
  const full = 'é'.repeat(8_187);
  const escaped = full.replaceAll('é', String.raw`\u00e9`);
  expect((await patch(`{"profile":{"a":"${escaped}"}}`)).status).toBe(200);
  expect(await read()).toEqual({ a: full });
  const over = await patch('{"profile":{"b":1}}');
  expect([over.status, over.body.code]).toEqual([422, 'profile-too-large']);
  expect(await read()).toEqual({ a: full });
  expect((await patch('{"firstName":"Eve"}')).status).toBe(200);
});
