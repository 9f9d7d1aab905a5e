import { z } from 'zod';

const integer = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/, `must be a whole number from ${min} to ${max}`)
    .transform(Number)
    .pipe(z.int().min(min, `must be at least ${min}`).max(max, `must be at most ${max}`));
const httpUrl = z
  .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
  .transform((url) => url.replace(/\/+$/, ''));
const flag = z.enum(['true', 'false'], { error: 'must be true or false' }).transform((text) => text === 'true');
const commaList = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean),
);

const masterKey = z
  .base64({ error: 'must be base64 of 32 bytes', abort: true })
  .refine((text) => Buffer.from(text, 'base64').length === 32, 'must be base64 of 32 bytes');

/** In words for `.env.example`; `secret` variables also come as `NAME_FILE`. */
const about = (description: string, more: { secret?: true; example?: string; preset?: string } = {}) => ({
  description,
  ...more,
});

/**
 * Every variable the service reads: the one source of the types, the start-up errors and `.env.example`.
 * An empty value counts as unset.
 */
export const configSchema = z.object({
  NODE_ENV: z.string().default('development').meta(about('`production` asks for explicit secrets')),
  PORT: integer(0, 65_535).prefault('3000').meta(about('TCP port; 0 takes a free one')),
  HOST: z.string().default('127.0.0.1').meta(about('Address to listen on; 0.0.0.0 in the container')),
  PUBLIC_URL: httpUrl
    .optional()
    .meta(about('How the world calls the service', { preset: 'http://HOST:PORT', example: 'https://id.example.org' })),
  DATABASE_URL: z
    .url({ protocol: /^postgres(ql)?$/, error: 'must be a postgres:// URL' })
    .optional()
    .meta(
      about('PostgreSQL; without it an embedded database (PGlite) under DATA_DIR is used', {
        secret: true,
        example: 'postgres://gatehouse:secret@db:5432/gatehouse',
      }),
    ),
  DATABASE_POOL_SIZE: integer(1, 500).prefault('10').meta(about('PostgreSQL connections of this process')),
  DATA_DIR: z.string().default('./data').meta(about('Embedded database and generated keys; made with mode 0700')),
  MIGRATE_ON_START: flag
    .prefault('true')
    .meta(about('Bring the schema up to date at start; `migrate` does it by hand')),
  MASTER_KEY: masterKey.optional().meta(
    about('Seals the signing keys: `openssl rand -base64 32`. Made in DATA_DIR if absent', {
      secret: true,
      preset: 'DATA_DIR/master.key; required with DATABASE_URL in production',
    }),
  ),
  MASTER_KEY_PREVIOUS: masterKey
    .optional()
    .meta(about('The key before, while `keys reseal` has not run yet', { secret: true })),
  ADMIN_USER_NAME: z.string().default('admin').meta(about('First administrator, made when there are no users')),
  ADMIN_PASSWORD: z
    .string()
    .optional()
    .meta(about("The first administrator's password", { secret: true, preset: 'made and shown once' })),
  REGISTRATION: z.enum(['open', 'closed']).default('open').meta(about('`open` lets anyone register')),
  ISSUER: z
    .string()
    .optional()
    .meta(about('`iss` of the tokens', { preset: 'PUBLIC_URL' })),
  AUDIENCE: z
    .string()
    .optional()
    .meta(about('`aud` of the tokens', { preset: 'PUBLIC_URL' })),
  ACCESS_TOKEN_TTL_SECONDS: integer(30, 86_400).prefault('900').meta(about('Lifetime of an access token')),
  KEY_ROTATION_DAYS: integer(1, 3_650)
    .prefault('30')
    .meta(about('A signing key signs for this long, then the next one does')),
  SESSION_TTL_SECONDS: integer(60, 31_536_000).prefault('2592000').meta(about('A session ends this long after login')),
  SESSION_IDLE_SECONDS: integer(60, 31_536_000)
    .prefault('604800')
    .meta(about('A session ends when its refresh token is not used for this long')),
  REFRESH_GRACE_SECONDS: integer(0, 60)
    .prefault('10')
    .meta(about('A refresh token that comes again within this time gets the same answer')),
  PASSWORD_MIN_LENGTH: integer(8, 64)
    .prefault('8')
    .meta(about('NIST SP 800-63B-4 asks for 15 where the password is the only factor')),
  PASSWORD_BREACH_CHECK: flag
    .prefault('false')
    .meta(about('Ask a range API (k-anonymity) whether a password was breached; when it fails, the password is taken')),
  PASSWORD_BREACH_URL: httpUrl
    .prefault('https://api.pwnedpasswords.com')
    .meta(about('The range API of Have I Been Pwned, or a mirror of it')),
  AUDIT_RETENTION_DAYS: integer(1, 36_500).prefault('90').meta(about('Audit events are kept this long')),
  RATE_LIMIT_IP_LOGIN: integer(1, 1_000_000).prefault('300').meta(about('Logins a minute from one address')),
  RATE_LIMIT_IP_HASH: integer(1, 1_000_000)
    .prefault('600')
    .meta(about('Registrations and changes of password a minute from one address')),
  RATE_LIMIT_IP_WRITE: integer(1, 1_000_000).prefault('3000').meta(about('Refreshes a minute from one address')),
  TRUST_PROXY: commaList
    .prefault('')
    .meta(about('Addresses or CIDRs whose X-Forwarded-For counts', { preset: 'none', example: '10.0.0.0/8' })),
  DRAIN_DELAY_SECONDS: integer(0, 300)
    .prefault('0')
    .meta(about('After SIGTERM ready is red this long before the port closes; 5 in the container')),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .meta(about('Least level that is logged')),
});

type Parsed = z.infer<typeof configSchema>;
export type Config = Readonly<
  Omit<Parsed, 'PUBLIC_URL' | 'ISSUER' | 'AUDIENCE'> & { PUBLIC_URL: string; ISSUER: string; AUDIENCE: string }
>;

/** Injection token of the `Config`. */
export const CONFIG = Symbol('Config');
