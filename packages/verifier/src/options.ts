import { type Algorithm, algorithms as everyAlgorithm } from './keys/algorithms.js';
import type { RevocationView } from './feed/revocation-view.js';
import {
  type ProtectedResource,
  protectedResourceMetadata,
  type ProtectedResourceMetadata,
  protectedResourceMetadataUrl,
} from './protected-resource.js';

/** What to do with a token while what is known of revocations is too old. */
export const stalenessActions = ['introspect', 'refuse', 'allow'] as const;
export type StalenessAction = (typeof stalenessActions)[number];

export type Staleness = {
  /** Age in milliseconds from which on what is known is too old; 2,000 by default. */
  readonly afterMs?: number;
  /**
   * `introspect` (default): Gatehouse is asked about each token; where that cannot be, as `refuse`.
   * `refuse`: 503. `allow`: accepted with `isStale`.
   */
  readonly then?: StalenessAction;
};

export type VerifierOptions = {
  /** `iss` of the tokens, exactly; also where the issuer is asked unless `url` is given. */
  readonly issuer: string;
  /** `aud` that tokens must have, exactly: the audience that this service is registered with. */
  readonly audience: string;
  /**
   * `name.secret` of this service at Gatehouse, with the scope `revocations:read` and, to
   * introspect, `tokens:introspect`. When it is left out, revocations are not known, and the issuer
   * may be any that publishes its keys.
   */
  readonly serviceKey?: string;
  readonly staleness?: Staleness;
  /** Where the issuer is reached, when that is not its name. */
  readonly url?: string;
  /** How far clocks may differ when dates are judged: 5, at most 60. */
  readonly clockToleranceSeconds?: number;
  /** Algorithms to accept: for Gatehouse ES256, otherwise every asymmetric one of JWS. */
  readonly algorithms?: readonly Algorithm[];
  /** Where the JWK set is, when the issuer has no metadata that say so. */
  readonly jwksUrl?: string;
  /** Least time between two requests for keys that unknown key ids cause: 5,000. */
  readonly keyCooldownMs?: number;
  /** How long a request to the issuer may take: 5,000. */
  readonly requestTimeoutMs?: number;
  /** How long `ready()` waits at most: 10,000. */
  readonly readyTimeoutMs?: number;
  /** How many verified tokens are remembered: 10,000. */
  readonly cachedTokens?: number;
  /** This service as an OAuth protected resource: refusals then say where its metadata are. */
  readonly protectedResource?: ProtectedResource;
  /** Where to learn of revocations, in place of a feed of its own. `close()` leaves it open. */
  readonly revocations?: RevocationView;
  /** In place of the global one, for a proxy or certificates of one's own. */
  readonly fetch?: typeof fetch;
};

/** Options that were checked, with the defaults filled in. */
export type Settings = {
  readonly issuer: string;
  readonly audience: string;
  readonly serviceKey: string | undefined;
  readonly staleness: Required<Staleness>;
  /** Base of the issuer's addresses, without a slash at the end. */
  readonly url: string;
  /** Whether tokens must be as Gatehouse issues them, which the rule of revocations relies on. */
  readonly isGatehouse: boolean;
  readonly clockToleranceSeconds: number;
  readonly algorithms: readonly Algorithm[];
  readonly jwksUrl: string | undefined;
  readonly keyCooldownMs: number;
  readonly requestTimeoutMs: number;
  readonly readyTimeoutMs: number;
  readonly cachedTokens: number;
  readonly protectedResource: ProtectedResourceMetadata | undefined;
  readonly resourceMetadataUrl: string | undefined;
  readonly revocations: RevocationView | undefined;
  readonly fetch: typeof fetch;
};

const numbers = {
  clockToleranceSeconds: { least: 0, most: 60, normally: 5 },
  keyCooldownMs: { least: 100, most: 600_000, normally: 5_000 },
  requestTimeoutMs: { least: 100, most: 60_000, normally: 5_000 },
  readyTimeoutMs: { least: 0, most: 600_000, normally: 10_000 },
  cachedTokens: { least: 0, most: 1_000_000, normally: 10_000 },
} as const;
const optionNames = [
  'issuer',
  'audience',
  'serviceKey',
  'staleness',
  'url',
  'algorithms',
  'jwksUrl',
  'protectedResource',
  'revocations',
  'fetch',
  ...Object.keys(numbers),
];
const serviceKeyForm = /^[^.\s]+\.[\u0021-\u007e]+$/;
export const defaultStaleness: Required<Staleness> = { afterMs: 2_000, then: 'introspect' };

/** @throws TypeError that says which option is wrong and what it may be */
export function parseOptions(options: VerifierOptions): Settings {
  assertNames(options, optionNames);
  const isGatehouse = options.serviceKey !== undefined || options.revocations !== undefined;
  const serviceKey = parseServiceKey(options);
  if (options.staleness !== undefined && !isGatehouse) {
    throw new TypeError('`staleness` needs `serviceKey`: without it nothing is known of revocations.');
  }
  const issuer = parseUrl('issuer', options.issuer);
  const protectedResource = parseProtectedResource(options, issuer);
  return {
    issuer,
    audience: parseText('audience', options.audience),
    serviceKey,
    staleness: parseStaleness(options.staleness, defaultStaleness),
    url: (options.url === undefined ? issuer : parseUrl('url', options.url)).replace(/\/+$/, ''),
    isGatehouse,
    algorithms: parseAlgorithms(options.algorithms, isGatehouse),
    jwksUrl: options.jwksUrl === undefined ? undefined : parseUrl('jwksUrl', options.jwksUrl),
    clockToleranceSeconds: parseNumber('clockToleranceSeconds', options),
    keyCooldownMs: parseNumber('keyCooldownMs', options),
    requestTimeoutMs: parseNumber('requestTimeoutMs', options),
    readyTimeoutMs: parseNumber('readyTimeoutMs', options),
    cachedTokens: parseNumber('cachedTokens', options),
    protectedResource,
    resourceMetadataUrl: protectedResource && protectedResourceMetadataUrl(protectedResource.resource),
    revocations: options.revocations,
    // looked up at each call, so that a process may replace the global one later
    fetch: options.fetch ?? ((...request) => fetch(...request)),
  };
}

/** @throws TypeError that names the first member that there is not, and those that there are */
export function assertNames(options: object, names: readonly string[]): void {
  const unknown = Object.keys(options).find((name) => !names.includes(name));
  if (unknown !== undefined) throw new TypeError(`There is no option ${unknown}. There are: ${names.join(', ')}.`);
}

/**
 * @param fallback for members that are left out
 * @throws TypeError as `parseOptions`
 */
export function parseStaleness(staleness: Staleness | undefined, fallback: Required<Staleness>): Required<Staleness> {
  assertNames(staleness ?? {}, ['afterMs', 'then']);
  const { afterMs = fallback.afterMs, then = fallback.then } = staleness ?? {};
  if (typeof afterMs !== 'number' || !(afterMs >= 100 && afterMs <= 86_400_000)) {
    throw new TypeError('`staleness.afterMs` must be a number of milliseconds from 100 to 86,400,000.');
  }
  if (!stalenessActions.includes(then)) {
    throw new TypeError(`\`staleness.then\` must be one of ${stalenessActions.join(', ')}.`);
  }
  return { afterMs, then };
}

function parseServiceKey(options: VerifierOptions): string | undefined {
  const { serviceKey } = options;
  if (typeof serviceKey === 'string' && serviceKeyForm.test(serviceKey)) return serviceKey;
  // a variable of the environment that is not set must not switch the feed off
  if (!('serviceKey' in options)) return undefined;
  throw new TypeError(
    '`serviceKey` must be the name and the secret of this service with a dot between, as Gatehouse showed it. ' +
      'Leave the option out to check tokens without knowing of revocations.',
  );
}

function parseProtectedResource(
  { protectedResource: given, audience }: VerifierOptions,
  issuer: string,
): ProtectedResourceMetadata | undefined {
  if (given === undefined) return undefined;
  assertNames(given, ['resource', 'permissions', 'name', 'documentationUrl']);
  const resource = parseUrl('protectedResource.resource', given.resource ?? audience);
  return protectedResourceMetadata(issuer, { ...given, resource });
}

function parseText(name: string, value: unknown): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new TypeError(`\`${name}\` must be a text.`);
}

function parseUrl(name: string, value: unknown): string {
  const text = parseText(name, value);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isAddress = url && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
  if (isAddress && url.hash === '') return text;
  throw new TypeError(`\`${name}\` must be an address that begins with https:// (or http://), not ${text}.`);
}

function parseAlgorithms(value: readonly Algorithm[] | undefined, isGatehouse: boolean): readonly Algorithm[] {
  if (value === undefined) return isGatehouse ? ['ES256'] : everyAlgorithm;
  const isList = Array.isArray(value) && value.length > 0;
  if (isList && value.every((name) => everyAlgorithm.includes(name))) return [...value];
  throw new TypeError(`\`algorithms\` must be a list of some of ${everyAlgorithm.join(', ')}.`);
}

function parseNumber(name: keyof typeof numbers, options: VerifierOptions): number {
  const { least, most, normally } = numbers[name];
  const value: unknown = options[name] ?? normally;
  if (typeof value === 'number' && value >= least && value <= most) return value;
  throw new TypeError(`\`${name}\` must be a number from ${least} to ${most}.`);
}
