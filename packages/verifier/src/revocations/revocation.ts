/** What a revocation may name (docs/feed-protocol.md). */
export const revocationKinds = ['token', 'session', 'user', 'key', 'service', 'role'] as const;
export type RevocationKind = (typeof revocationKinds)[number];

/** An entry of the feed, as `GET /v1/auth/revocations` gives it. */
export type Revocation = {
  readonly kind: RevocationKind;
  /** `jti`, `sid`, `sub`, `kid`, `client_id` of a token without `sid`, or the name of a role. */
  readonly subject: string;
  /** Ends tokens whose generation of this kind is below it; with null, of every generation. */
  readonly below: number | null;
  /** What happened, such as `logout`. For people who read it: new ones may come. */
  readonly cause: string;
  /** RFC 3339. Until then the entry has to be kept. */
  readonly expiresAt: string;
};

/** Ends every generation there can be. */
export const everyGeneration = 0x7fff_ffff;
