import { describe, expect, test } from 'vitest';

import { ConfigError, loadConfig } from './load-config.js';

const load = (declared: unknown) =>
  loadConfig({ TOKEN_CLAIMS: typeof declared === 'string' ? declared : JSON.stringify(declared) }).TOKEN_CLAIMS;

function faultOf(declared: unknown): string {
  try {
    load(declared);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults.join('\n');
    throw error;
  }
  return 'accepted';
}

test('claims are declared by name and path, in their order', () => {
  const declared = { department: 'profile.department', 'https://example.org/org': 'metadata.org.id' };
  expect(load(declared)).toEqual([
    { name: 'department', column: 'profile', path: ['department'] },
    { name: 'https://example.org/org', column: 'metadata', path: ['org', 'id'] },
  ]);
});

test('nothing is declared by default', () => {
  expect([loadConfig({}).TOKEN_CLAIMS, load('{}')]).toEqual([[], []]);
});

const standards =
  'iss sub aud exp nbf iat jti sid client_id roles permissions scope gen role_gen uid auth_time amr acr azp nonce cnf act may_act typ groups entitlements email name active username token_type';
test.each([...standards.split(' '), '__proto__'])('%s is refused by name', (name) => {
  expect(faultOf(`{"${name}":"profile.x","fine":"profile.x"}`)).toBe(
    `TOKEN_CLAIMS names a claim that the standards or Gatehouse use: "${name}"`,
  );
});

describe('refused as malformed:', () => {
  test.each(['{', '[]', '"x"', 'null', '1', 'department=profile.department'])('%s', (text) => {
    expect(faultOf(text)).toMatch(/^TOKEN_CLAIMS must be a JSON object/);
  });

  const paths = [
    'profile',
    'profile.',
    'profile..a',
    'profile.a.',
    '.a',
    'users.email',
    'Profile.a',
    'profile a',
    '',
    7,
    null,
  ];
  test.each([...paths, ['profile.a'], `profile.${'a'.repeat(101)}`, 'profile.a\n'])('the path %j', (path) => {
    expect(faultOf({ claim: path })).toMatch(/^TOKEN_CLAIMS names no path such as .*: "claim"$/);
  });

  test.each(['', 'a b', 'é', 'a'.repeat(65)])('the name %j', (name) => {
    expect(faultOf({ [name]: 'profile.a' })).toMatch(/^TOKEN_CLAIMS names a claim that has not 1 to 64 visible/);
  });

  test('more than 20 claims', () => {
    expect([faultOf(many(20)), faultOf(many(21))]).toEqual(['accepted', 'TOKEN_CLAIMS must declare at most 20 claims']);
  });
});

const many = (count: number): object =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`c${at}`, 'profile.a']));

test('every fault is told at once', () => {
  expect(faultOf({ sub: 'profile.a', exp: 'profile.b' }).split('\n')).toHaveLength(2);
});
