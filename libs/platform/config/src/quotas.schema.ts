import { about, integer } from './setting-schemas.js';

const perMinute = (preset: string, description: string) =>
  integer(1, 1_000_000_000).prefault(preset).meta(about(description));

/** How much callers may ask for, send and keep. */
export const quotas = {
  RATE_LIMIT_IP_READ: perMinute('6000', 'Reads a minute from one address without credentials'),
  RATE_LIMIT_IP_WRITE: perMinute('3000', 'Refreshes and other writes a minute from one address without credentials'),
  RATE_LIMIT_IP_LOGIN: perMinute('300', 'Logins a minute from one address'),
  RATE_LIMIT_IP_HASH: perMinute('600', 'Registrations a minute from one address'),
  RATE_LIMIT_IP_UPLOAD: perMinute('60', 'Uploads a minute from one address without credentials'),
  RATE_LIMIT_USER_READ: perMinute('6000', 'Reads a minute of one user'),
  RATE_LIMIT_USER_WRITE: perMinute('1200', 'Writes a minute of one user'),
  RATE_LIMIT_USER_LOGIN: perMinute('60', 'Proofs of a password a minute by one user who is signed in'),
  RATE_LIMIT_USER_HASH: perMinute(
    '120',
    'New passwords a minute by one user: changes, and users made by administrators',
  ),
  RATE_LIMIT_USER_UPLOAD: perMinute('60', 'Uploads a minute of one user'),
  IMPORT_MAX_SECONDS: integer(1, 604_800)
    .prefault('3600')
    .meta(about('An import over HTTP may take this long in all; sent again it goes on where it ended')),
  IMPORT_HASH_MAX_MEMORY_MIB: integer(1, 256)
    .prefault('64')
    .meta(about('Memory that an imported hash may take at login (argon2, scrypt); its time is bounded with it')),
  IMPORT_BCRYPT_MAX_COST: integer(4, 14).prefault('12').meta(about('Cost of an imported bcrypt hash')),
  IMPORT_PBKDF2_MAX_ITERATIONS: integer(1, 2_000_000)
    .prefault('1200000')
    .meta(about('Iterations of an imported PBKDF2 hash, times the blocks of its digest')),
  IMPORT_SHA_CRYPT_MAX_ROUNDS: integer(1_000, 700_000)
    .prefault('200000')
    .meta(about('Rounds of an imported SHA-crypt hash')),
  MESSAGE_LIMIT_USER_COUNT: integer(1, 1_000_000)
    .prefault('1000')
    .meta(about('Messages of one user that have not expired, those that are used up too')),
  MESSAGE_LIMIT_USER_BYTES: integer(65_536, 1_099_511_627_776)
    .prefault('16777216')
    .meta(about('Bytes of the open messages of one user')),
  MESSAGE_LIMIT_SERVICE_COUNT: integer(1, 1_000_000)
    .prefault('10000')
    .meta(about('Messages of one service that have not expired, those that are used up too')),
  MESSAGE_LIMIT_SERVICE_BYTES: integer(65_536, 1_099_511_627_776)
    .prefault('268435456')
    .meta(about('Bytes of the open messages of one service')),
  AVATAR_MAX_BYTES: integer(1_024, 52_428_800)
    .prefault('10485760')
    .meta(about('Largest picture file that is taken, in bytes')),
  AVATAR_MAX_PIXELS: integer(4_096, 100_000_000)
    .prefault('51000000')
    .meta(about('Most pixels of a JPEG or WebP; other formats may have a part of it, by the memory they take')),
  AVATAR_CACHE_BYTES: integer(0, 4_294_967_296)
    .prefault('33554432')
    .meta(about('Memory for pictures that are often asked for')),
};
