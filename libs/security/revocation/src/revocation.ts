/** What ended trust; kept with the entry, so that a refusal can be explained. */
export const revocationCauses = [
  'logout',
  'token-revoked',
  'session-ended',
  'refresh-token-reused',
  'password-changed',
  'user-deactivated',
  'user-deleted',
  'roles-changed',
  'key-retired',
  'all-revoked',
  'service-deactivated',
  'service-deleted',
] as const;
export type RevocationCause = (typeof revocationCauses)[number];

export type RevocationKind = 'token' | 'session' | 'user' | 'key';

/**
 * One end of trust. `subject` is the id (UUID) of a token, session, user or signing key. A `user`
 * entry ends the user's tokens of every generation below `generation`; the other kinds end all
 * tokens that name the subject. `expiresAt` (Unix seconds) is when the last such token expires; by
 * default, the longest lifetime of any replica's access tokens from now.
 */
export type Revocation = {
  readonly kind: RevocationKind;
  readonly subject: string;
  readonly generation?: number;
  readonly cause: RevocationCause;
  readonly expiresAt?: number;
};

/** A `Revocation` as it is stored: with its expiry, and with a generation whatever its kind. */
export type Entry = {
  readonly kind: RevocationKind;
  readonly subject: string;
  readonly generation: number;
  readonly expiresAt: number;
};

/** What ended a token, and when in Unix milliseconds. */
export type EndOfTrust = { readonly kind: RevocationKind; readonly cause: RevocationCause; readonly atMs: number };

/** The facts of a token that revocation is decided by. */
export type TokenFacts = {
  readonly tokenId: string;
  readonly sessionId: string;
  readonly userId: string;
  readonly keyId: string;
  readonly generation: number;
};

/** Ends every generation there can be. */
export const everyGeneration = 0x7fff_ffff;
