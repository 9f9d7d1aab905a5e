import { hash } from 'node:crypto';

import type { RevocationKind } from './revocation.js';

/**
 * One thing that a token stands on. An entry of the same kind and subject ends the token when it
 * ends a generation above this one. The fingerprint is what `RevocationTable` looks for.
 */
export type TokenFact = {
  readonly kind: RevocationKind;
  readonly subjectId: string;
  readonly generation: number;
  readonly fingerprint: Fingerprint;
};

/** 64 bits of a subject, salted by its kind. The low half is never 0, which marks a free slot. */
export type Fingerprint = { readonly high: number; readonly low: number };

/** The claims that say what can end a token, as Gatehouse issues them. */
export type FactClaims = {
  readonly jti: string;
  readonly sub: string;
  readonly client_id: string;
  /** Only tokens of people have one. */
  readonly sid?: string | undefined;
  readonly roles?: readonly string[] | undefined;
  /** Generation of the tokens of the user or service. */
  readonly gen?: number | undefined;
  /** Generation of all roles that the token's permissions were read from. */
  readonly role_gen?: number | undefined;
};

const kindSalt: Readonly<Record<RevocationKind, number>> = {
  token: 0x9e3779b9,
  session: 0x7f4a7c15,
  user: 0x85ebca6b,
  key: 0xc2b2ae35,
  service: 0x27d4eb2f,
  role: 0x165667b1,
};
const canonicalUuid = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/;

/**
 * What can end a token: itself, and all that it names (docs/feed-protocol.md). A claim about
 * generations that is absent counts as 0, the oldest.
 * @param keyId `kid` of the header
 */
export function tokenFacts(claims: FactClaims, keyId: string): readonly TokenFact[] {
  const { jti, sid, sub, client_id: clientId, roles = [], gen = 0, role_gen: roleGeneration = 0 } = claims;
  const always = [tokenFact('token', jti), tokenFact('key', keyId)];
  if (sid === undefined) return [...always, tokenFact('service', clientId, gen)];
  const session = [tokenFact('session', sid), tokenFact('user', sub, gen)];
  return [...always, ...session, ...roles.map((role) => tokenFact('role', role, roleGeneration))];
}

/**
 * @param subject as in `Revocation`
 * @param generation of the trust that the token stands on; 0 where a kind has no generations
 */
export function tokenFact(kind: RevocationKind, subject: string, generation = 0): TokenFact {
  const subjectId = subjectIdOf(kind, subject);
  return { kind, subjectId, generation, fingerprint: fingerprintOf(kind, subjectId) };
}

/**
 * A UUID for any subject, so that all entries have one form: a UUID in lower case is its own. The
 * `sub` of a user may be any text; names of roles and services are never ids.
 */
export function subjectIdOf(kind: RevocationKind, subject: string): string {
  if (!isNamed(kind) && canonicalUuid.test(subject)) return subject;
  const hex = hash('sha256', `${kind} ${subject}`);
  // a UUID of version 8, whose bits have the meaning that their maker gives them (RFC 9562 §5.8)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

export const isNamed = (kind: RevocationKind): boolean => kind === 'role' || kind === 'service';

/** The last 64 bits of a UUID: the random ones. */
export function fingerprintOf(kind: RevocationKind, subjectId: string): Fingerprint {
  const high = Number.parseInt(subjectId.slice(19, 23) + subjectId.slice(24, 28), 16);
  return saltedFingerprint(kind, high, Number.parseInt(subjectId.slice(28, 36), 16));
}

export const saltedFingerprint = (kind: RevocationKind, high: number, low: number): Fingerprint => ({
  high: (high ^ kindSalt[kind]) >>> 0,
  low: low >>> 0 || 1,
});
