import { expect, test } from 'vitest';

import { faultOfHash, noPassword } from './read-hash.js';

const bytes = (count: number): string => 'A'.repeat(Math.ceil((count * 4) / 3));
const argon2 = (cost: string, salt = bytes(16), digest = bytes(32)): string =>
  `$argon2id$v=19$${cost}$${salt}$${digest}`;
const bcrypt = (cost: string): string => `$2b$${cost}$${'a'.repeat(53)}`;
const scrypt = (cost: string, digest = bytes(32)): string => `$scrypt$${cost}$${bytes(16)}$${digest}`;
const firebase = (cost: string, signer = `${bytes(64)}==`): string =>
  `$fbscrypt$v=1,${cost},ss=Bw==,sk=${signer}$${bytes(9)}$${bytes(64)}==`;

const shaCrypt = (head: string, length = 86): string => `${head}$${'a'.repeat(length)}`;
const pbkdf2 = (head: string, digest = bytes(32)): string => `${head}$${bytes(16)}$${digest}`;

test.each([
  argon2('m=65536,t=3,p=4'),
  argon2('m=262144,t=4,p=16'),
  bcrypt('04'),
  bcrypt('14'),
  scrypt('ln=17,r=8,p=1'),
  scrypt('ln=14,r=8,p=16'),
  firebase('n=14,r=8,p=1'),
  shaCrypt('$6$rounds=656000$salt'),
  shaCrypt('$5$', 43),
  pbkdf2('$pbkdf2-sha256$600000'),
  pbkdf2('$pbkdf2-sha512$i=210000,l=32'),
  'pbkdf2_sha256$2000000$seasalt$P4UiMPVduVWIL/oS1GzH+IofsccjJNM5hUTikBvi5to=',
])('%s is taken', (hash) => {
  expect(faultOfHash(hash)).toBeUndefined();
});

test.each([
  argon2('m=262145,t=1,p=1'),
  argon2('m=262144,t=5,p=1'),
  argon2('m=65536,t=3,p=17'),
  argon2('m=8,t=65,p=1'),
  bcrypt('15'),
  bcrypt('31'),
  `$wp${bcrypt('15')}`,
  '$P$FIQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0',
  scrypt('ln=20,r=8,p=1'),
  scrypt('ln=14,r=8,p=17'),
  scrypt('ln=99,r=8,p=1'),
  firebase('n=20,r=8,p=1'),
  shaCrypt('$6$rounds=700001$salt'),
  shaCrypt('$5$rounds=999999999$salt', 43),
  pbkdf2('$pbkdf2-sha256$2000001'),
  pbkdf2('$pbkdf2-sha1$1000001', bytes(40)),
])('%s would take a login too long', (hash) => {
  expect(faultOfHash(hash)?.code).toBe('hash-too-costly');
});

test.each([
  argon2('m=65536,t=3'),
  argon2('m=7,t=1,p=1'),
  argon2('m=65536,t=0,p=1'),
  argon2('m=65536,t=3,p=1', bytes(7)),
  argon2('m=65536,t=3,p=1', bytes(16), bytes(15)),
  argon2('m=65536,t=3,p=1', `${bytes(15)}.`),
  argon2('m=65536,t=3,p=1', bytes(16).replace(/A$/, 'B')),
  bcrypt('10').slice(0, -1),
  bcrypt('03'),
  bcrypt('10').replace('b', '2b'),
  argon2('m=065536,t=3,p=1'),
  scrypt('ln=0,r=8,p=1'),
  scrypt('ln=16,r=1,p=1'),
  scrypt('ln=14,r=8'),
  scrypt('ln=14,r=8,p=1', bytes(15)),
  scrypt('ln=14,r=8,p=1', ''),
  firebase('n=14,r=8,p=1', ''),
  firebase('n=14,r=8,p=1', bytes(32)),
  shaCrypt('$6$salt', 85),
  shaCrypt('$6$salt', 43),
  shaCrypt('$6$seventeen-letters', 86),
  `$wp${bcrypt('10').slice(0, -1)}`,
  `bcrypt_sha256$${bcrypt('03')}`,
  '$P$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L',
  '$P$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r.Lz',
  '$P$.IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0',
  '{SHA}at+xg6SiyUovktq1redipHiJpaF=',
  '{SSHA}at+xg6SiyUovktq1redipHiJpaE=',
  pbkdf2('$pbkdf2-sha256$0'),
  pbkdf2('$pbkdf2-sha256$01212'),
  pbkdf2('$pbkdf2-sha256$'),
  pbkdf2('$pbkdf2-sha256$i=1000,l=31'),
  pbkdf2('$pbkdf2-sha256$1212', bytes(1)),
  `${argon2('m=65536,t=3,p=1')}\n`,
  `$2b$${'a'.repeat(2_000)}`,
])('%s is no hash of its format', (hash) => {
  expect(faultOfHash(hash)?.code).toMatch(/hash-malformed|hash-unknown/);
});

const limits = { memoryMib: 64, bcryptCost: 12, pbkdf2Iterations: 1_200_000, shaCryptRounds: 200_000 };
test.each([
  [argon2('m=65537,t=1,p=1'), 'IMPORT_HASH_MAX_MEMORY_MIB'],
  [argon2('m=65536,t=5,p=1'), 'IMPORT_HASH_MAX_MEMORY_MIB'],
  [scrypt('ln=17,r=8,p=1'), 'IMPORT_HASH_MAX_MEMORY_MIB'],
  [firebase('n=17,r=8,p=1'), 'IMPORT_HASH_MAX_MEMORY_MIB'],
  [bcrypt('13'), 'IMPORT_BCRYPT_MAX_COST'],
  [`$wp${bcrypt('13')}`, 'IMPORT_BCRYPT_MAX_COST'],
  [`bcrypt_sha256$${bcrypt('13')}`, 'IMPORT_BCRYPT_MAX_COST'],
  [pbkdf2('$pbkdf2-sha256$1200001'), 'IMPORT_PBKDF2_MAX_ITERATIONS'],
  [shaCrypt('$6$rounds=200001$salt'), 'IMPORT_SHA_CRYPT_MAX_ROUNDS'],
])('%s is too costly for an import unless %s says otherwise', (hash, setting) => {
  expect(faultOfHash(hash, limits)).toEqual({ code: 'hash-too-costly', setting });
  expect(faultOfHash(hash)).toBeUndefined();
});

test.each([
  '',
  noPassword,
  'correct horse battery staple',
  '5f4dcc3b5aa765d61d8327deb882cf99',
  '$1$salt$qJH7.N4xYta3aEG/dfqo/0',
  '$2x$05$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaO4EbggVDjb8P19RukzXSM3e',
  '$argon2i$m=65536,t=2,p=1$c29tZXNhbHQAAAAAAAAAAA$HH7u+eDpabMCRyL8hkocqfbKINpz+b8/FzGIG+riA54',
  'pbkdf2_md5$1000$salt$AAAAAAAAAAAAAAAAAAAAAA==',
  '{CRYPT}$6$salt$x',
  '{SSHA224}AAAA',
])('%s is of no format that we know', (hash) => {
  expect(faultOfHash(hash)?.code).toBe('hash-unknown');
});
