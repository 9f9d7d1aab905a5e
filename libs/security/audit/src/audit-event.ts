import { hash } from 'node:crypto';

/** Everything that is recorded. Stable: operators filter and alert by these. */
export const auditEvents = [
  'login-succeeded',
  'login-failed',
  'login-delay-lifted',
  'login-challenged',
  'reauthenticated',
  'logged-out',
  'refresh-token-reused',
  'session-ended',
  'token-revoked',
  'password-changed',
  'password-reset',
  'current-password-wrong',
  'one-time-code-refused',
  'email-verified',
  'second-factor-added',
  'second-factor-removed',
  'second-factor-reset',
  'recovery-code-used',
  'recovery-codes-renewed',
  'access-denied',
  'service-key-refused',
  'user-created',
  'user-changed',
  'user-deactivated',
  'user-activated',
  'user-deleted',
  'user-exported',
  'roles-changed',
  'key-created',
  'key-retired',
  'all-revoked',
  'settings-changed',
  'service-created',
  'service-changed',
  'service-secret-rotated',
  'service-deleted',
  'role-created',
  'role-changed',
  'role-deleted',
  'service-token-issued',
  'invitation-created',
  'invitation-deleted',
  'invitation-accepted',
  'address-undeliverable',
  'message-created',
  'message-revealed',
  'message-deleted',
  'users-import-started',
  'users-import-ended',
  'users-exported',
  'users-listed',
  'sessions-read',
] as const;

type Detail = string | number | boolean | null | readonly Detail[] | { readonly [name: string]: Detail };

export type AuditEvent = {
  readonly event: (typeof auditEvents)[number];
  /** Whom it is about, if it is about a user. */
  readonly userId?: string | undefined;
  /** Never a secret, never a password. */
  readonly details?: Readonly<Record<string, Detail>>;
};

/**
 * Stands for the id of an erased user in the row that proves the erasure. A UUIDv7 tells when its
 * user was made, which would lead from the proof to the rows under the pseudonym. A caller who
 * knows the id finds the row; nobody can guess the id from it. A UUIDv8 (RFC 9562 §5.8).
 */
export function erasedIdOf(userId: string): string {
  const hex = hash('sha256', `gatehouse:erased:${userId.toLowerCase()}`);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-9${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
