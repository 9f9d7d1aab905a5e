import { beforeAll, describe, expect, test } from 'vitest';

import type { Answer } from '../support/api.js';
import { newPerson, registration, signInAdmin, uniqueName } from '../support/people.js';
import { startGatehouse } from '../support/start-gatehouse.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse();
let token: string;

beforeAll(async () => {
  token = (await signInAdmin(gatehouse)).token;
});

const create = (fields: Record<string, unknown>, as?: string): Promise<Answer> =>
  gatehouse.api.post('/v1/users', { body: registration(fields), token: as });

const smile = '\u{1F600}';

test.for<[field: string, value: unknown, code: string]>([
  ['userName', undefined, 'required'],
  ['userName', 7, 'invalid-type'],
  ['userName', '', 'too-small'],
  ['userName', 'a'.repeat(257), 'too-big'],
  ['userName', 'a'.repeat(600), 'too-big'],
  ['userName', 'a'.repeat(65), 'user-name-too-long'],
  ['userName', 'two words', 'user-name-disallowed-character'],
  ['userName', 'ada@example.org', 'user-name-disallowed-character'],
  ['userName', smile, 'user-name-disallowed-character'],
  ['userName', '\u0430nn', 'user-name-mixed-scripts'],
  ['firstName', undefined, 'required'],
  ['firstName', null, 'invalid-type'],
  ['firstName', '', 'too-small'],
  ['firstName', ' \u00a0 ', 'too-small'],
  ['firstName', 'a'.repeat(101), 'too-big'],
  ['lastName', smile.repeat(101), 'too-big'],
  ['lastName', 'Love\nlace', 'invalid'],
  ['lastName', 'Love\u202Elace', 'invalid'],
  ['email', 'ada', 'invalid-format'],
  ['email', 'ada@', 'invalid-format'],
  ['email', `ada@${'a'.repeat(250)}.org`, 'too-big'],
  ['email', `${'a'.repeat(65)}@example.org`, 'too-big'],
  ['email', `ada@${`${'\u00fc\u00e4'.repeat(5)}.`.repeat(14)}org`, 'too-big'],
  ['email', `ada@${'a'.repeat(64)}.org`, 'invalid-format'],
  ['email', 'ad\u00e1@example.org', 'invalid-format'],
  ['email', 'ada@exam ple.org', 'invalid-format'],
  ['email', 'ada@example..org', 'invalid-format'],
  ['email', 'ada@-example.org', 'invalid-format'],
  ['email', 'ada@exam_ple.org', 'invalid-format'],
  ['email', 'ada@grace@example.org', 'invalid-format'],
  ['email', '"ada lovelace"@example.org', 'invalid-format'],
  ['email', 'ada@[127.0.0.1]', 'invalid-format'],
  ['email', 'ada@b\u00fccher.de:25', 'invalid-format'],
  ['email', 'ada@b\u00fccher%2ede', 'invalid-format'],
  ['email', 'ada@b\u00fccher\uff05.de', 'invalid-format'],
  ['email', ['ada@example.org'], 'invalid-type'],
  ['password', undefined, 'required'],
  ['password', 12_345_678, 'invalid-type'],
  ['password', 'a'.repeat(1_025), 'too-big'],
  ['roles', 7, 'invalid-type'],
  ['roles', [], 'too-small'],
  ['roles', Array.from({ length: 51 }, () => 'user'), 'too-big'],
  ['status', 'active', 'unknown-field'],
  ['id', '0190a6d4-7f3a-7c8b-9d1e-2f3a4b5c6d7e', 'unknown-field'],
])('a %s of %o is refused as %s', async ([path, value, code]) => {
  const { status, body } = await create({ [path]: value });
  expect([status, body.code]).toEqual([400, 'invalid-request']);
  expect(body.errors.map((error: any) => [error.path, error.code])).toEqual([[path, code]]);
});

test.for([
  ['zero width space', '\u200b'],
  ['word joiner', '\u2060'],
  ['byte order mark inside blanks', ' \u200d\ufeff\u200d '],
  ['Hangul fillers', '\u3164\u115f\u1160\uffa0'],
  ['soft hyphen', '\u00ad'],
  ['combining marks alone', '\u0301\u0308'],
  ['variation selector', '\ufe0f'],
  ['tag characters', '\u{e0061}\u{e007f}'],
  ['Braille blank', '\u2800'],
  ['Mongolian vowel separator', '\u180e'],
  ['invisible times', '\u2062'],
  ['noncharacter', '\u{1fffe}'],
  ['all of them', '\u200b\u2060\u3164\u00ad\u0301\u2800'],
])('a name that shows nothing is refused: %s', async ([, name]) => {
  for (const field of ['firstName', 'lastName']) {
    const { status, body } = await create({ [field]: name });
    expect([status, body.errors?.[0].path]).toEqual([400, field]);
  }
  const service = await gatehouse.api.post('/v1/services', {
    token,
    body: { name: uniqueName('s'), scopes: [], description: name },
  });
  expect([service.status, service.body.errors?.[0].path]).toEqual([400, 'description']);
});

test.for([
  ['joiners in Persian', '\u0639\u0644\u06cc\u200c\u0631\u0636\u0627'],
  ['joiners in Hindi', '\u0915\u094d\u200d\u0937'],
  ['a family of emoji', '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}'],
  ['one letter', 'O'],
  ['a letter with a mark of its own', 'x\u0323'],
  ['a digit', '7'],
  ['punctuation', '\u2019'],
])('a name with something to see is taken as it is: %s', async ([, name]) => {
  const { status, body } = await create({ firstName: name });
  expect([status, body.firstName]).toEqual([201, name]);
});

test('every refused field is listed, with its path', async () => {
  const { body } = await create({ userName: 7, firstName: '', email: 'x', roles: ['user', 'Root'], extra: 1 });
  const paths = body.errors.map(({ path }: any) => path);
  expect(paths.toSorted()).toEqual(['email', 'extra', 'firstName', 'roles.1', 'userName']);
});

describe('names', () => {
  test('are trimmed and composed', async () => {
    const { body } = await create({ firstName: ' \u00a0Zoe\u0308 ', lastName: '  de la Cruz\t' });
    expect([body.firstName, body.lastName]).toEqual(['Zo\u00eb', 'de la Cruz']);
  });

  test('may have 100 characters, however many bytes each takes', async () => {
    const names = { firstName: smile.repeat(100), lastName: 'e\u0301'.repeat(100) };
    const { status, body } = await create(names);
    expect([status, body.firstName, body.lastName]).toEqual([201, names.firstName, '\u00e9'.repeat(100)]);
  });
});

describe('what is taken', () => {
  const taken = [
    ['ada-lovelace', 'ADA-Lovelace'],
    ['grace', '\uff27\uff52\uff41\uff43\uff45'],
    ['\u00c6var', '\u00e6var'],
    ['zoe\u0308', 'Zo\u00eb'],
  ] as const;
  test.for(taken)('the user name %s is taken for %s', async ([userName, other]) => {
    expect((await create({ userName })).status).toBe(201);
    const { status, body } = await create({ userName: other });
    expect([status, body.code]).toEqual([409, 'user-name-taken']);
  });

  test('an e-mail address is taken in any case, and kept as it was written', async () => {
    const { body } = await create({ email: ' Ada@Example.org ' });
    expect(body.email).toBe('Ada@Example.org');
    const again = await create({ email: 'aDA@eXAMPLE.ORG' });
    expect([again.status, again.body.code]).toEqual([409, 'email-taken']);
  });

  test.for([
    'a&b@example.org',
    "ada'@example.org",
    'ada!#$%*+/=?^_`{|}~-@example.org',
    '.ada..@example.org',
    `${'a'.repeat(64)}@example.org`,
    'ada@intranet',
    'ada@1and1.example',
    'ada@xn--e1afmkfd.xn--p1ai',
    'ada@b\u00fccher.example',
    `ada@${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.org`,
  ])('an address that a browser takes is taken, and shown as it was sent: %s', async (email) => {
    const { status, body } = await create({ email });
    expect([status, body.email]).toEqual([201, email]);
  });

  test.for([
    ['ivan@xn--e1afmkfd.xn--p1ai', 'Ivan@\u043f\u0440\u0438\u043c\u0435\u0440.\u0440\u0444'],
    ['grace@b\u00fccher.example', 'grace@XN--BCHER-KVA.example'],
    ['karl@stra\u00dfe.example', 'karl@STRA\u1e9eE.example'],
    ['li@\u4f8b.example', 'li@\u4f8b\u3002example'],
    ['zoe@cafe\u0301.example', 'zoe@caf\u00e9.example'],
  ])('the address %s is taken for %s', async ([email, other]) => {
    expect((await create({ email })).status).toBe(201);
    const again = await create({ email: other });
    expect([again.status, again.body.code]).toEqual([409, 'email-taken']);
    const { body } = await gatehouse.api.get(`/v1/users?email=${encodeURIComponent(other ?? '')}`, { token });
    expect(body.items.map((user: any) => user.email)).toEqual([email]);
  });

  test('of 50 that want one name at once, one gets it', async () => {
    const userName = uniqueName();
    const answers = await Promise.all(Array.from({ length: 50 }, () => create({ userName })));
    const codes = answers.map(({ status, body }) => (status === 201 ? '201' : `${status} ${body.code}`));
    expect(codes.toSorted()).toEqual(['201', ...Array.from({ length: 49 }, () => '409 user-name-taken')]);
  });
});

describe('passwords', () => {
  test.for([
    ['1234567', ['password-too-short', 'password-digits-only', 'password-pattern']],
    ['password', ['password-common']],
    ['\u{1F600}'.repeat(129), ['password-too-long', 'password-pattern']],
    ['lovelace-ada', ['password-personal']],
  ] as const)('%s is refused with every reason', async ([password, codes]) => {
    const { status, body } = await create({ password });
    expect([status, body.code]).toEqual([400, 'password-refused']);
    expect(body.errors.map(({ path, code }: any) => [path, code])).toEqual(codes.map((code) => ['password', code]));
  });
});

describe('who may create whom', () => {
  test('roles are for administrators to give', async () => {
    const person = await newPerson(gatehouse);
    for (const as of [undefined, person.token]) {
      const { status, body } = await create({ roles: ['user'] }, as);
      expect([status, body.code]).toEqual([403, 'forbidden']);
    }
    const { status, body } = await create({ roles: ['admin', 'user'] }, token);
    expect([status, body.roles]).toEqual([201, ['admin', 'user']]);
  });

  test('the answer names the address and the version of the new user', async () => {
    const created = await create({});
    const location = created.headers.get('location') ?? '';
    expect(location).toBe(`/v1/users/${created.body.id}`);
    const read = await gatehouse.api.get(location, { token });
    expect([read.body, read.headers.get('etag')]).toEqual([created.body, created.headers.get('etag')]);
  });

  test('nobody but administrators creates users while registration is closed', async () => {
    const closed = await startGatehouse({ REGISTRATION: 'closed' });
    try {
      const refused = await closed.api.post('/v1/users', { body: registration() });
      expect([refused.status, refused.body.code]).toEqual([403, 'registration-closed']);
      const boss = await signInAdmin(closed);
      expect((await closed.api.post('/v1/users', { body: registration(), token: boss.token })).status).toBe(201);
    } finally {
      await closed.stop();
    }
  });
});
