import { readArgon2 } from './argon2.js';
import { readBcrypt, readDjangoBcrypt, readWordPressBcrypt } from './bcrypt.js';
import { hardLimits, type HashCheck, type HashFault, type HashLimits, type ReadHash } from './hash-format.js';
import { readLdapSha } from './ldap-sha.js';
import { readPbkdf2 } from './pbkdf2.js';
import { readFirebaseScrypt, readScrypt } from './scrypt.js';
import { readPhpass, readShaCrypt } from './stretched.js';

/** Stored for a user who has no password: no password matches it (shadow(5) has the same sign). */
export const noPassword = '!';

const maxLength = 1_024;

type Format = { readonly prefix: string; readonly read: ReadHash; readonly setting?: HashSetting };
/** The setting that bounds what a format may cost at import. */
type HashSetting =
  | 'IMPORT_HASH_MAX_MEMORY_MIB'
  | 'IMPORT_BCRYPT_MAX_COST'
  | 'IMPORT_PBKDF2_MAX_ITERATIONS'
  | 'IMPORT_SHA_CRYPT_MAX_ROUNDS';

const formats: readonly Format[] = [
  { prefix: '$argon2', read: readArgon2, setting: 'IMPORT_HASH_MAX_MEMORY_MIB' },
  { prefix: '$2', read: readBcrypt, setting: 'IMPORT_BCRYPT_MAX_COST' },
  { prefix: '$wp$', read: readWordPressBcrypt, setting: 'IMPORT_BCRYPT_MAX_COST' },
  { prefix: 'bcrypt$', read: readDjangoBcrypt, setting: 'IMPORT_BCRYPT_MAX_COST' },
  { prefix: 'bcrypt_sha256$', read: readDjangoBcrypt, setting: 'IMPORT_BCRYPT_MAX_COST' },
  { prefix: '$scrypt$', read: readScrypt, setting: 'IMPORT_HASH_MAX_MEMORY_MIB' },
  { prefix: '$fbscrypt$', read: readFirebaseScrypt, setting: 'IMPORT_HASH_MAX_MEMORY_MIB' },
  { prefix: '$pbkdf2', read: readPbkdf2, setting: 'IMPORT_PBKDF2_MAX_ITERATIONS' },
  { prefix: 'pbkdf2_', read: readPbkdf2, setting: 'IMPORT_PBKDF2_MAX_ITERATIONS' },
  { prefix: '$5$', read: readShaCrypt, setting: 'IMPORT_SHA_CRYPT_MAX_ROUNDS' },
  { prefix: '$6$', read: readShaCrypt, setting: 'IMPORT_SHA_CRYPT_MAX_ROUNDS' },
  { prefix: '$P$', read: readPhpass },
  { prefix: '$H$', read: readPhpass },
  { prefix: '$S$', read: readPhpass },
  { prefix: '{', read: readLdapSha },
];

const formatOf = (text: string): Format | undefined =>
  text.length > maxLength ? undefined : formats.find(({ prefix }) => text.startsWith(prefix));

/** Reads a hash of any known format, ours and imported ones. */
export function readHash(text: string, limits: HashLimits = hardLimits): HashCheck | HashFault {
  return formatOf(text)?.read(text, limits) ?? 'hash-unknown';
}

/** Why a hash is refused; undefined when it is not. `setting` bounds what its format may cost. */
export function faultOfHash(
  text: string,
  limits: HashLimits = hardLimits,
): { readonly code: HashFault; readonly setting?: HashSetting | undefined } | undefined {
  const read = readHash(text, limits);
  if (typeof read !== 'string') return undefined;
  return read === 'hash-too-costly' ? { code: read, setting: formatOf(text)?.setting } : { code: read };
}
