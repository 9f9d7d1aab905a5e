import { randomBytes, randomUUID } from 'node:crypto';

import { importRow } from './imports.js';

/** bcrypt, cost 6, of `abc` (jBCrypt) */
const passwordHash = '$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i';
export const password = 'abc';

type Identity = { readonly id?: string; readonly subject?: string };

/** How other services write the ids of their users. */
const spellings: Readonly<Record<string, () => Identity>> = {
  'a UUIDv4': () => ({ id: randomUUID() }),
  'a UUID in capital letters': () => {
    const id = randomUUID().toUpperCase();
    return { id, subject: id };
  },
  Auth0: () => ({ subject: `auth0|${randomBytes(12).toString('hex')}` }),
  'a number': () => ({ subject: String(12_345 + randomBytes(5).readUInt32BE()) }),
  'an ObjectId of MongoDB': () => ({ id: randomUUID(), subject: randomBytes(12).toString('hex') }),
  Firebase: () => ({ subject: randomBytes(21).toString('base64url') }),
  'user@host': () => ({ subject: `Ünï ${randomBytes(4).toString('hex')}@host.example` }),
};
export const spellingNames = Object.keys(spellings);

export type MovedUser = { readonly row: Record<string, unknown>; readonly sub: string };

/** A row of somebody who comes from elsewhere, and the `sub` that other services know. */
export function movedUser(spelling: string, fields: Record<string, unknown> = {}): MovedUser {
  const identity = spellings[spelling]?.() ?? {};
  const sub = identity.subject ?? identity.id ?? '';
  return { sub, row: importRow({ ...identity, passwordHash, ...fields }) };
}

/** Rows in every spelling, in turns. */
export const movedUsers = (length: number): MovedUser[] =>
  Array.from({ length }, (_, at) => movedUser(spellingNames[at % spellingNames.length] ?? '', memberships[at % 5]));

/** What of `profile` and `metadata` a copy could lose: types, blanks, quotes, order, depth. */
const memberships: readonly Record<string, unknown>[] = [
  {},
  { profile: { department: 'sales, "north"\r\nand south', zip: '01234', floor: 3, '2': 'b', '1': 'a' } },
  { metadata: { orgId: '42', legacy: 'true', ok: true, none: null, big: '12345678901234567890', empty: '' } },
  { profile: { nested: { deep: [1, { x: 'ÿ\u2028' }] }, 'odd name ': ' blank ', tags: ['a', 'b'] }, roles: ['admin'] },
  { metadata: { quoted: '"x"', formula: '=1+1', list: [], object: {}, number: 1e21, text: '{"a":1}' } },
];
