import { rethrowViolation } from '#libs/platform/database';
import { AppError } from '#libs/platform/errors';

import { toEmailKey } from './email-address.js';
import { type PreparedUserName, prepareUserName, type UserNameFault } from '../user-names/prepare-user-name.js';
import { isReservedName } from '../user-names/reserved-names.js';

const messages: Readonly<Record<UserNameFault | 'reserved', string>> = {
  empty: 'must not be empty',
  'too-long': 'must have at most 64 characters',
  'disallowed-character': 'must have letters, digits and the signs of a keyboard only; no spaces and no @',
  'mixed-scripts': 'must keep to one script: letters of two alphabets that look alike are not taken',
  'mixed-direction': 'must not mix writing directions',
  'bad-unicode': 'must be well-formed text',
  reserved: 'is reserved, or looks like a name that is; only an administrator may give it',
};

/** @throws AppError `invalid-request` that says what is wrong with the name */
export function toUserName(input: string): PreparedUserName {
  const prepared = prepareUserName(input);
  if (typeof prepared !== 'string') return prepared;
  throw refusal(prepared);
}

/** For names that users or services choose. @throws AppError `invalid-request` */
export function assertNotReserved({ key }: PreparedUserName): void {
  if (isReservedName(key)) throw refusal('reserved');
}

const refusal = (fault: UserNameFault | 'reserved'): AppError =>
  new AppError('invalid-request', {
    errors: [{ path: 'userName', message: messages[fault], code: `user-name-${fault}` }],
  });

/**
 * The key by which a login name is looked up: addresses contain `@`, user names never do. Blanks
 * around it are dropped: phone keyboards add one after a word that they complete.
 */
export function findKeys(login: string): { userNameKey: string } | { emailKey: string } | undefined {
  const name = login.trim();
  if (name.includes('@')) return { emailKey: toEmailKey(name) };
  const prepared = prepareUserName(name);
  return typeof prepared === 'string' ? undefined : { userNameKey: prepared.key };
}

/** For names and addresses that somebody else has. */
export const rethrowTaken = rethrowViolation({
  users_user_name_key_unique: (cause) => new AppError('user-name-taken', { cause }),
  users_email_key_unique: (cause) => new AppError('email-taken', { cause }),
});
