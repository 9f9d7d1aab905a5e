import type { RevocationKind } from '#verifier/revocations';

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
  'service-secret-revoked',
  'service-changed',
  'role-changed',
  'role-deleted',
] as const;
export type RevocationCause = (typeof revocationCauses)[number];

/**
 * One end of trust. `subject` is the id (UUID) of a token, session, user or signing key, or the
 * name of a service or role. It ends the tokens that name the subject, if `generation` is given
 * only those of a generation below. `expiresAt` (Unix seconds) is when the last such token expires;
 * by default, the longest lifetime of any replica's access tokens from now.
 */
export type Revocation = {
  readonly kind: RevocationKind;
  readonly subject: string;
  /** Of a user: the `sub` of its tokens, where that is not its id. */
  readonly tokenSubject?: string | null;
  readonly generation?: number;
  readonly cause: RevocationCause;
  readonly expiresAt?: number;
};

/**
 * A `Revocation` as it is stored: with its expiry, a generation whatever its kind, and the subject
 * as `subjectIdOf` gives it.
 */
export type Entry = {
  readonly kind: RevocationKind;
  readonly subjectId: string;
  readonly generation: number;
  readonly expiresAt: number;
};

/** What ended a token, and when in Unix milliseconds. */
export type EndOfTrust = {
  readonly kind: RevocationKind;
  /** Of a role or service; of a user the `sub` of its tokens, where that is not its id. */
  readonly name: string | null;
  readonly cause: RevocationCause;
  readonly atMs: number;
};
