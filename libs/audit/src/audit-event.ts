/** Everything that is recorded. Stable: operators filter and alert by these. */
export const auditEvents = [
  'login-succeeded',
  'login-failed',
  'logged-out',
  'refresh-token-reused',
  'session-ended',
  'token-revoked',
  'password-changed',
  'user-created',
  'user-deactivated',
  'user-activated',
  'user-deleted',
  'roles-changed',
  'key-created',
  'key-retired',
  'all-revoked',
  'service-created',
  'service-changed',
  'service-secret-rotated',
  'service-deleted',
] as const;

export type AuditEvent = {
  readonly event: (typeof auditEvents)[number];
  /** Whom it is about, if it is about a user. */
  readonly userId?: string | undefined;
  /** Never a secret, never a password. */
  readonly details?: Readonly<Record<string, string | number | boolean | null>>;
};
