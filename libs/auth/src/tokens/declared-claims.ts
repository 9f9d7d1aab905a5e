import type { Config } from '#libs/platform/config';

/** Of the values as JSON, all together. */
const mostBytes = 1_024;

type Members = Readonly<Record<string, unknown>>;

/** Claims by name, and the names of those whose values did not fit. */
export type DeclaredClaims = { readonly claims: Members; readonly leftOut: readonly string[] };

/** What claims are taken from; null where none is. */
export type DeclaredFrom = { readonly profile: Members | null; readonly metadata: Members | null };

/** Whether `TOKEN_CLAIMS` takes anything from the one and from the other: they may be large. */
export function sourcesOf(declared: Config['TOKEN_CLAIMS']): readonly [profile: boolean, metadata: boolean] {
  return [declared.some(({ column }) => column === 'profile'), declared.some(({ column }) => column === 'metadata')];
}

/**
 * What `TOKEN_CLAIMS` takes from a user, in its order and as far as it fits. Pure. A member that is
 * absent or null gives no claim.
 */
export function declaredClaims(declared: Config['TOKEN_CLAIMS'], user: DeclaredFrom): DeclaredClaims {
  const claims: Record<string, unknown> = {};
  const leftOut: string[] = [];
  let bytes = 0;
  for (const { name, column, path } of declared) {
    const value = memberAt(user[column], path);
    if (value === undefined || value === null) continue;
    const size = Buffer.byteLength(JSON.stringify(value));
    if (bytes + size > mostBytes) {
      leftOut.push(name);
      continue;
    }
    bytes += size;
    claims[name] = value;
  }
  return { claims, leftOut };
}

/** Own members of objects alone: no prototype has anything to say in a token. */
function memberAt(root: Members | null, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined),
    root,
  );
}

const isObject = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
