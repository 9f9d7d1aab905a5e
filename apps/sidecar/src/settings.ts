import { readFileSync } from 'node:fs';

import type { StalenessAction, VerifierOptions, VerifyOptions } from '#verifier';

/** A setting is missing or wrong; the message names it, and never its value. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

export type Settings = {
  readonly host: string;
  readonly port: number;
  readonly verifier: VerifierOptions;
  /** What every request needs; a gateway may ask for more in the query of `/verify`. */
  readonly permissions: NonNullable<VerifyOptions['permissions']>;
  readonly policy: StalenessAction;
  readonly staleAfterMs: number;
};

type Environment = Readonly<Record<string, string | undefined>>;

const policies = ['introspect', 'refuse', 'allow'] as const satisfies readonly StalenessAction[];
const known: ReadonlySet<string> = new Set([
  'GATEHOUSE_URL',
  'ISSUER',
  'AUDIENCE',
  'SERVICE_KEY',
  'SERVICE_KEY_FILE',
  'HOST',
  'PORT',
  'STALENESS',
  'STALENESS_MS',
  'PERMISSIONS',
  'CLOCK_TOLERANCE_SECONDS',
]);
const looksLikeOurs = /^(?:GATEHOUSE|ISSUER|AUDIENCE|SERVICE_KEY|STALENESS|PERMISSION|CLOCK_TOLERANCE)/;
/** scope-token of RFC 6749 §3.3. */
const permissionForm = /^[\u0021\u0023-\u005b\u005d-\u007e]+$/;

/** @throws SettingsError */
export function readSettings(environment: Environment): Settings {
  const url = required(environment, 'GATEHOUSE_URL');
  const issuer = environment['ISSUER'] || url;
  const policy = policyOf(environment['STALENESS'] || 'introspect');
  const staleAfterMs = wholeNumber(environment, 'STALENESS_MS', 2_000, { least: 100, most: 3_600_000 });
  const verifier = {
    issuer,
    url,
    audience: required(environment, 'AUDIENCE'),
    serviceKey: serviceKeyOf(environment),
    staleness: { afterMs: staleAfterMs, then: policy },
    clockToleranceSeconds: wholeNumber(environment, 'CLOCK_TOLERANCE_SECONDS', 5, { least: 0, most: 60 }),
  };
  return {
    host: environment['HOST'] || '127.0.0.1',
    port: wholeNumber(environment, 'PORT', 4180, { least: 0, most: 65_535 }),
    verifier,
    permissions: permissionsOf(environment['PERMISSIONS'] ?? ''),
    policy,
    staleAfterMs,
  };
}

/** Names that look like a setting of ours and are none. */
export const misspelt = (environment: Environment): readonly string[] =>
  Object.keys(environment).filter((name) => looksLikeOurs.test(name) && !known.has(name));

/** @throws SettingsError */
export function permissionsOf(text: string): readonly string[] {
  const names = text.split(/[\s,]+/).filter(Boolean);
  if (names.every((name) => permissionForm.test(name))) return names;
  throw new SettingsError('PERMISSIONS must be names such as orders:read, with spaces or commas between');
}

function required(environment: Environment, name: string): string {
  const value = environment[name];
  if (value) return value;
  throw new SettingsError(`${name} is required`);
}

function policyOf(text: string): StalenessAction {
  const policy = policies.find((one) => one === text);
  if (policy) return policy;
  throw new SettingsError(`STALENESS must be ${policies.join(', ')}`);
}

/** Without a key nothing would be known of revocations: the sidecar needs one. */
function serviceKeyOf({ SERVICE_KEY: key, SERVICE_KEY_FILE: file }: Environment): string {
  if (key && file) throw new SettingsError('SERVICE_KEY and SERVICE_KEY_FILE are both set');
  if (key) return key;
  if (!file)
    throw new SettingsError('SERVICE_KEY or SERVICE_KEY_FILE is required: name.secret of a service at Gatehouse');
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new SettingsError('SERVICE_KEY_FILE cannot be read', { cause });
  }
}

function wholeNumber(
  environment: Environment,
  name: string,
  preset: number,
  { least, most }: { readonly least: number; readonly most: number },
): number {
  const text = environment[name];
  if (!text) return preset;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new SettingsError(`${name} must be a whole number from ${least} to ${most}`);
}
