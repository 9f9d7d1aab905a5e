import { isObject } from './bounded-request.js';

/**
 * Claims of an access token (RFC 9068 §2.2). Gatehouse's have all of `iat`, `jti` and `client_id`;
 * people's have `sid`, `roles` and `permissions`, services' have `scope`. Frozen: the same object
 * is given for the same token again.
 */
export type Claims = {
  readonly iss: string;
  readonly sub: string;
  readonly aud: string | readonly string[];
  /** Unix seconds, as all dates. */
  readonly exp: number;
  readonly iat?: number;
  readonly nbf?: number;
  readonly jti?: string;
  readonly client_id?: string;
  /** Session of a person. */
  readonly sid?: string;
  readonly roles?: readonly string[];
  readonly permissions?: readonly string[];
  /** With spaces between. */
  readonly scope?: string;
  /** When the person last gave the password, or a code of the second factor. */
  readonly auth_time?: number;
  /** How the person was authenticated (RFC 8176); with `mfa` when a second factor was given. */
  readonly amr?: readonly string[];
  /** `urn:gatehouse:2fa` when a second factor was given, else `urn:gatehouse:1fa`. */
  readonly acr?: string;
  /** Generations that revocations speak of (docs/feed-protocol.md). */
  readonly gen?: number;
  readonly role_gen?: number;
  /** Id of the user at Gatehouse, where `sub` is another one that was imported. */
  readonly uid?: string;
  /** What the issuer declares beside them. */
  readonly [name: string]: unknown;
};

type Members = Readonly<Record<string, unknown>>;
type Check = (value: unknown) => boolean;
type Checks = readonly (readonly [name: string, check: Check])[];

const isText: Check = (value) => typeof value === 'string';
const isName: Check = (value) => typeof value === 'string' && value !== '' && value.length <= 255;
const isTextList: Check = (value) => Array.isArray(value) && value.every(isText);
const isCount: Check = (value) => Number.isSafeInteger(value) && Number(value) >= 0;
// `1e400` is Infinity, and a check of the type alone would let it pass
const isDate: Check = (value) => isCount(value) && Number(value) <= 8_640_000_000_000;
const isUuid: Check = (value) => typeof value === 'string' && /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i.test(value);
const isAbsent: Check = (value) => value === undefined;
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);

/** Whoever issued the token: what it is judged by, and what `Claims` gives a type. */
const general: Readonly<Record<string, Check>> = {
  iss: isText,
  sub: isName,
  aud: (value) => isText(value) || isTextList(value),
  exp: isDate,
  iat: optional(isDate),
  nbf: optional(isDate),
  auth_time: optional(isDate),
  amr: optional(isTextList),
  acr: optional(isText),
  jti: optional(isText),
  client_id: optional(isText),
  sid: optional(isText),
  roles: optional(isTextList),
  permissions: optional(isTextList),
  scope: optional(isText),
  gen: optional(isCount),
  role_gen: optional(isCount),
  uid: optional(isText),
};
/** What the rule of revocations looks for must be there. */
const gatehouse = { ...general, iat: isDate, jti: isUuid, client_id: isName };
const checksOfAny: Checks = Object.entries(general);
const checksOfUser: Checks = Object.entries({ ...gatehouse, sid: isUuid, roles: isTextList, uid: optional(isUuid) });
const checksOfService: Checks = Object.entries({ ...gatehouse, scope: isText, roles: isAbsent });

/** The claims of a payload, or what is wrong with it. */
export function readClaims(payload: Uint8Array, issuer: 'gatehouse' | 'any'): Claims | string {
  const members = parseMembers(payload);
  if (!members) return 'the payload is not a JSON object';
  const read = issuer === 'any' ? withScopeAsText(members) : members;
  const checks = checksOf(read, issuer);
  if (!areClaims(read, checks)) {
    const wrong = checks.find(([name, check]) => !check(read[name]));
    return `${wrong?.[0] ?? 'a claim'} is missing or has the wrong type`;
  }
  if (issuer === 'gatehouse' && !hasOwnSubject(read)) return 'sub is not that of a user or a service';
  return frozen(read);
}

/** Each of `checks` includes the general ones, which are what the type says. */
const areClaims = (members: Members, checks: Checks): members is Claims =>
  checks.every(([name, check]) => check(members[name]));

function checksOf({ sid }: Members, issuer: 'gatehouse' | 'any'): Checks {
  if (issuer === 'any') return checksOfAny;
  return sid === undefined ? checksOfService : checksOfUser;
}

/** A service stands for itself; a user whose `sub` is not our id has the id beside it. */
const hasOwnSubject = ({ sub, sid, client_id: client, uid }: Claims): boolean =>
  sid === undefined ? sub === client : uid !== undefined || isUuid(sub);

/** Some issuers write `scope` as a list. */
const withScopeAsText = (members: Members): Members =>
  isTextList(members['scope']) && Array.isArray(members['scope'])
    ? { ...members, scope: members['scope'].join(' ') }
    : members;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** JSON in UTF-8 without errors; a byte order mark is none (RFC 8259 §8.1). */
export function parseMembers(bytes: Uint8Array): Members | undefined {
  try {
    const value: unknown = JSON.parse(utf8.decode(bytes));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A handler that changed what it was given would change it for the next request. */
function frozen<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const member of Object.values(value)) frozen(member);
  return Object.freeze(value);
}
