/** Everything that is recorded. Stable: operators filter and alert by these. */
export const auditEvents = [
  'login-succeeded',
  'login-failed',
  'login-delay-lifted',
  'reauthenticated',
  'logged-out',
  'refresh-token-reused',
  'session-ended',
  'token-revoked',
  'password-changed',
  'current-password-wrong',
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
