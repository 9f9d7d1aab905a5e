/** Why a hash is not taken; stable codes. */
export type HashFault = 'hash-unknown' | 'hash-malformed' | 'hash-too-costly';

/** Whether a password belongs to the hash that was read. Works off the main thread. */
export type HashCheck = (password: string) => Promise<boolean>;

/** What a hash may cost whoever checks it. */
export type HashLimits = {
  readonly memoryMib: number;
  readonly bcryptCost: number;
  /** Times the blocks that the digest takes. */
  readonly pbkdf2Iterations: number;
  readonly shaCryptRounds: number;
};

/** Beyond these nothing is ever checked, whatever an import was allowed to bring: a login would take over a second. */
export const hardLimits: HashLimits = {
  memoryMib: 256,
  bcryptCost: 14,
  pbkdf2Iterations: 2_000_000,
  shaCryptRounds: 700_000,
};

/** Reads a hash of one format: parameters and encoding are checked here, so that a check cannot fail on them later. */
export type ReadHash = (text: string, limits: HashLimits) => HashCheck | HashFault;

/** A shorter digest could be met by chance. */
export const minDigestBytes = 16;

/**
 * The bytes of base64 in any of the alphabets that hashes come in: RFC 4648's two and passlib's (`.` for `+`), padded or
 * not. Nothing if it is not the one way to write those bytes.
 */
export function decodeBase64(text: string): Buffer | undefined {
  const plain = text
    .replace(/={1,2}$/, '')
    .replace(/[-.]/g, '+')
    .replaceAll('_', '/');
  const bytes = Buffer.from(plain, 'base64');
  return bytes.toString('base64').replace(/=+$/, '') === plain ? bytes : undefined;
}
