import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

import type { z } from 'zod';

import { type Config, configSchema } from './config.schema.js';
import { parseDatabaseUrl } from './database-url.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** A browser opens six, and a few people may share an address. */
const fewestPerAddress = 16;

/** Names the variables and what is wrong with each, never a value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(readonly faults: readonly string[]) {
    super(`The configuration is not valid:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
  }
}

/**
 * Reads the environment into a `Config`. A secret `X` may come as the file `X_FILE` instead.
 * @throws ConfigError with every fault at once
 */
export function loadConfig(environment: Environment): Config {
  const faults: string[] = [];
  const values = Object.fromEntries(
    Object.entries(configSchema.shape).map(([name, schema]) => [
      name,
      schema.meta()?.['secret'] === true ? readSecret(name, environment, faults) : environment[name] || undefined,
    ]),
  );
  const parsed = configSchema.safeParse(values);
  if (!parsed.success) {
    faults.push(...parsed.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`));
    throw new ConfigError(faults);
  }
  const { data } = parsed;
  faults.push(...contradictionsIn(data, environment));
  if (faults.length > 0) throw new ConfigError(faults);
  const publicUrl = data.PUBLIC_URL ?? `http://${bracketed(data.HOST)}:${data.PORT}`;
  return {
    ...data,
    PUBLIC_URL: publicUrl,
    ISSUER: data.ISSUER ?? publicUrl,
    AUDIENCE: data.AUDIENCE ?? publicUrl,
    GRAPHQL_INTROSPECTION: data.GRAPHQL_INTROSPECTION ?? data.NODE_ENV !== 'production',
    secretFiles: secretFilesOf(environment),
    MAX_CONNECTIONS_PER_ADDRESS:
      data.MAX_CONNECTIONS_PER_ADDRESS ?? Math.max(fewestPerAddress, Math.ceil(data.MAX_CONNECTIONS / 10)),
    MAX_REVOCATION_STREAMS: data.MAX_REVOCATION_STREAMS ?? Math.ceil(data.MAX_CONNECTIONS / 2),
  };
}

/** What is wrong with settings that are right each by itself. */
function contradictionsIn(data: z.infer<typeof configSchema>, environment: Environment): readonly string[] {
  const faults: string[] = [];
  if (data.NODE_ENV === 'production' && data.DATABASE_URL && !data.MASTER_KEY) {
    faults.push('MASTER_KEY is required with DATABASE_URL in production: openssl rand -base64 32');
  }
  if (data.DATABASE_LISTEN_URL && !data.DATABASE_URL) faults.push('DATABASE_LISTEN_URL is set without DATABASE_URL');
  if (data.DATABASE_URL && parseDatabaseUrl(data.DATABASE_URL).isPooled && !data.DATABASE_LISTEN_URL) {
    faults.push('DATABASE_LISTEN_URL is required with pgbouncer=true: such a pooler passes no notifications on');
  }
  if (data.DATABASE_URL && isTlsForgotten(data.DATABASE_URL, environment)) {
    faults.push('PGSSLMODE asks for TLS, but DATABASE_URL has no sslmode: write it there');
  }
  if (data.AVATAR_STORE === 's3' && !data.AVATAR_S3_BUCKET)
    faults.push('AVATAR_S3_BUCKET is required with AVATAR_STORE=s3');
  if (data.MAIL === 'smtp' && !data.SMTP_URL) faults.push('SMTP_URL is required with MAIL=smtp');
  if (data.EMAIL_VERIFICATION === 'login' && data.MAIL === 'off')
    faults.push('EMAIL_VERIFICATION=login needs MAIL: nobody could confirm an address');
  if (data.MAIL !== 'off' && data.PUBLIC_URL && !/^[A-Za-z0-9/.:-]{1,60}$/.test(data.PUBLIC_URL)) {
    faults.push(
      'PUBLIC_URL must have at most 60 letters, digits and /.:- with MAIL: longer links are broken on their way',
    );
  }
  if (data.MAIL !== 'off' && !data.MAIL_FROM) faults.push('MAIL_FROM is required with MAIL=smtp and MAIL=file');
  if ((data.AVATAR_S3_ACCESS_KEY_ID === undefined) !== (data.AVATAR_S3_SECRET_ACCESS_KEY === undefined)) {
    faults.push('AVATAR_S3_ACCESS_KEY_ID and AVATAR_S3_SECRET_ACCESS_KEY go together: set both or neither');
  }
  return faults;
}

/** The URLs that are asked for again by who makes a connection. */
type SecretUrl = 'DATABASE_URL' | 'DATABASE_LISTEN_URL' | 'REDIS_URL';

/**
 * A secret as its file says now, so that a changed one needs no restart; nothing when it did not
 * come from a file.
 * @throws when the file cannot be read
 */
export async function readSecretFile(
  { secretFiles }: Pick<Config, 'secretFiles'>,
  name: SecretUrl,
): Promise<string | undefined> {
  const file = secretFiles[name];
  return file === undefined ? undefined : trimmed(await readFile(file, 'utf8'));
}

function secretFilesOf(environment: Environment): Readonly<Record<string, string>> {
  const files = Object.entries(configSchema.shape).flatMap(([name, schema]) => {
    const file = schema.meta()?.['secret'] === true ? environment[`${name}_FILE`] : undefined;
    return file ? [[name, file]] : [];
  });
  return Object.fromEntries(files);
}

/**
 * node-pg takes the TLS mode from the environment where it is given none; here the URL alone says
 * it.
 */
const isTlsForgotten = (url: string, { PGSSLMODE = '' }: Environment): boolean =>
  /^(require|no-verify|verify-)/.test(PGSSLMODE) &&
  !/[?&]ssl(mode)?=/.test(url) &&
  parseDatabaseUrl(url).tls.mode === 'disable';

function readSecret(name: string, environment: Environment, faults: string[]): string | undefined {
  const value = environment[name] || undefined;
  const file = environment[`${name}_FILE`];
  if (!file) return value;
  if (value) {
    faults.push(`${name} and ${name}_FILE are both set: keep one`);
    return undefined;
  }
  const text = readText(file);
  if (text === undefined) faults.push(`${name}_FILE names a file that cannot be read`);
  // an empty secret is an accident; to go on without it would make a new key or password in its
  // place
  else if (text === '') faults.push(`${name}_FILE names an empty file`);
  return text || undefined;
}

function readText(path: string): string | undefined {
  try {
    return trimmed(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

const trimmed = (text: string): string => text.replace(/\r?\n$/, '');

const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host);
