import { assertNames, parseStaleness, type Staleness } from './options.js';

/** What a route asks for beside a good token. */
export type VerifyOptions = {
  /** All of them are needed: `permissions` of a person's token, `scope` of a service's. */
  readonly permissions?: readonly string[];
  /** How long ago the person may have given the password, in seconds (RFC 9470). */
  readonly maxAuthAgeSeconds?: number;
  /** In place of what the verifier was made with. */
  readonly staleness?: Staleness;
};

export type ParsedVerifyOptions = {
  readonly permissions: readonly string[];
  readonly maxAuthAgeSeconds: number | undefined;
  readonly staleness: Required<Staleness>;
};

/** scope-token of RFC 6749 §3.3. */
const permissionForm = /^[\u0021\u0023-\u005b\u005d-\u007e]+$/;

/**
 * A wrong option must not leave a route open: `permission` in place of `permissions` is an error.
 * @throws TypeError that says which option is wrong and what it may be
 */
export function parseVerifyOptions(options: VerifyOptions, fallback: Required<Staleness>): ParsedVerifyOptions {
  assertNames(options, ['permissions', 'maxAuthAgeSeconds', 'staleness']);
  const { permissions = [], maxAuthAgeSeconds, staleness } = options;
  if (!isPermissionList(permissions)) {
    throw new TypeError('`permissions` must be a list of names such as orders:read.');
  }
  if (maxAuthAgeSeconds !== undefined && !(Number.isSafeInteger(maxAuthAgeSeconds) && maxAuthAgeSeconds >= 0)) {
    throw new TypeError('`maxAuthAgeSeconds` must be a whole number of seconds, 0 or more.');
  }
  return { permissions: [...permissions], maxAuthAgeSeconds, staleness: parseStaleness(staleness, fallback) };
}

const isPermissionList = (value: unknown): boolean =>
  Array.isArray(value) && value.every((name) => typeof name === 'string' && permissionForm.test(name));
