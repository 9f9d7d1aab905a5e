/** Why a hash is refused; stable codes. */
export type HashFault = 'hash-unknown' | 'hash-malformed' | 'hash-too-costly';

/** Whether a password belongs to the hash that was read. Works off the main thread. */
export type HashCheck = (password: string) => Promise<boolean>;

/** Upper bounds of what it costs to check a hash. */
export type HashLimits = {
  readonly memoryMib: number;
  readonly bcryptCost: number;
  /** Multiplied by the number of blocks of the digest. */
  readonly pbkdf2Iterations: number;
  readonly shaCryptRounds: number;
};

/** No hash beyond these is ever checked, also if imported: a login would take over a second. */
export const hardLimits: HashLimits = {
  memoryMib: 256,
  bcryptCost: 14,
  pbkdf2Iterations: 2_000_000,
  shaCryptRounds: 700_000,
};

/** Reads a hash of one format, and refuses what its check could fail on later. */
export type ReadHash = (text: string, limits: HashLimits) => HashCheck | HashFault;

/** A password could match a shorter digest by chance. */
export const minDigestBytes = 16;

/**
 * The bytes of base64 in any alphabet that hashes use: the two of RFC 4648 and passlib's (`.` for
 * `+`), padded or not. Undefined when it is not the canonical way to write those bytes.
 */
export function decodeBase64(text: string): Buffer | undefined {
  const plain = text
    .replace(/={1,2}$/, '')
    .replace(/[-.]/g, '+')
    .replaceAll('_', '/');
  const bytes = Buffer.from(plain, 'base64');
  return bytes.toString('base64').replace(/=+$/, '') === plain ? bytes : undefined;
}
