import { isIP } from 'node:net';

import { z } from 'zod';

import { isOrigin } from './is-origin.js';
import { openConnections } from './open-connections.schema.js';
import { avatarStore } from './avatar-store.schema.js';
import { mailSettings } from './mail.schema.js';
import { quotas } from './quotas.schema.js';
import { about, flag, httpUrl, integer, commaList, databaseUrl, redisUrls } from './setting-schemas.js';
import { tokenClaimsSchema } from './token-claims.schema.js';

const proxyList = commaList.refine(
  (proxies) => proxies.every(isProxy),
  'must be addresses or CIDRs such as 192.0.2.7,10.1.0.0/16, or loopback, linklocal, uniquelocal',
);

const originList = commaList.refine(
  (origins) => origins.every((origin) => origin === '*' || isOrigin(origin)),
  'must be origins such as https://app.example.org, https://*.example.org or capacitor://localhost, without a path, or *',
);

const masterKey = z
  .base64({ error: 'must be base64 of 32 bytes', abort: true })
  .refine((text) => Buffer.from(text, 'base64').length === 32, 'must be base64 of 32 bytes');

/** Read where it is used: a file that cannot be read ends the start as well. */
const schemaFile = z.string().optional();

/** Networks of all addresses are refused: everybody could then say to be anybody. */
function isProxy(text: string): boolean {
  if (['loopback', 'linklocal', 'uniquelocal'].includes(text)) return true;
  const [network = '', prefix, ...rest] = text.split('/');
  const version = isIP(network);
  if (version === 0 || rest.length > 0) return false;
  return prefix === undefined || (/^[1-9]\d{0,2}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128));
}

/**
 * Every variable the service reads: the one source of the types, the start-up errors and
 * `.env.example`. An empty value counts as unset.
 */
export const configSchema = z.object({
  NODE_ENV: z.string().default('development').meta(about('`production` asks for explicit secrets')),
  PORT: integer(0, 65_535).prefault('3000').meta(about('TCP port; 0 takes a free one')),
  HOST: z.string().default('127.0.0.1').meta(about('Address to listen on; 0.0.0.0 in the container')),
  PUBLIC_URL: httpUrl
    .refine((url) => !/[?#]|\/\/[^/]*@/.test(url), 'must have no query, fragment or credentials')
    .optional()
    .meta(
      about('How the world calls the service; a path in it is taken off by your proxy', {
        preset: 'http://HOST:PORT',
        example: 'https://id.example.org',
      }),
    ),
  DATABASE_URL: databaseUrl
    .optional()
    .meta(
      about(
        'PostgreSQL; without it an embedded database (PGlite) under DATA_DIR is used. docs/operations.md lists what it may ask for (TLS, hosts, sockets)',
        { secret: true, example: 'postgres://gatehouse:secret@db:5432/gatehouse?sslmode=verify-full' },
      ),
    ),
  DATABASE_LISTEN_URL: databaseUrl.optional().meta(
    about('The same database past a pooler in transaction mode, for the one connection that listens', {
      secret: true,
      preset: 'DATABASE_URL',
      example: 'postgres://gatehouse:secret@db:5432/gatehouse',
    }),
  ),
  DATABASE_POOL_SIZE: integer(1, 500)
    .prefault('10')
    .meta(about('PostgreSQL connections of this process, besides the one that listens')),
  DATA_DIR: z.string().default('./data').meta(about('Embedded database and generated keys; made with mode 0700')),
  MIGRATE_ON_START: flag
    .prefault('true')
    .meta(about('Bring the schema up to date at start; `migrate` does it by hand')),
  MASTER_KEY: masterKey.optional().meta(
    about('Seals all keys at rest: `openssl rand -base64 32`. Made in DATA_DIR if absent', {
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
    .meta(
      about("The first administrator's password, of at least 15 characters", {
        secret: true,
        preset: 'made and kept in DATA_DIR/first-admin-password',
      }),
    ),
  REGISTRATION: z.enum(['open', 'closed']).default('open').meta(about('`open` lets anyone register')),
  ISSUER: z
    .string()
    .optional()
    .meta(about('`iss` of the tokens', { preset: 'PUBLIC_URL' })),
  AUDIENCE: z
    .string()
    .optional()
    .meta(about('`aud` of the tokens', { preset: 'PUBLIC_URL' })),
  TOKEN_CLAIMS: tokenClaimsSchema.prefault('{}').meta(
    about('Claims of access tokens that come from a user, as JSON: name to path in `profile` or `metadata`', {
      preset: 'none',
      example: '{"department":"profile.department","org":"metadata.orgId"}',
    }),
  ),
  ACCESS_TOKEN_TTL_SECONDS: integer(30, 86_400).prefault('900').meta(about('Lifetime of an access token')),
  KEY_ROTATION_DAYS: integer(1, 3_650)
    .prefault('30')
    .meta(about('A signing key signs for this long, then the next one does')),
  SESSION_TTL_SECONDS: integer(60, 31_536_000).prefault('2592000').meta(about('A session ends this long after login')),
  SESSION_IDLE_SECONDS: integer(60, 31_536_000)
    .prefault('604800')
    .meta(about('A session ends when its refresh token is not used for this long')),
  SESSIONS_PER_USER: integer(1, 10_000)
    .prefault('100')
    .meta(about('A user has so many sessions; one login more ends the session that was last used longest ago')),
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
  HASH_CONCURRENCY: integer(1, 1_024)
    .optional()
    .meta(
      about(
        'Password hashes that run at once in this process; each takes a core. Divide the cores among its replicas',
        {
          preset: 'the cores that the process may use',
        },
      ),
    ),
  ...mailSettings,
  SECOND_FACTOR_ROLES: commaList.prefault('').meta(
    about('Who holds one of these roles may do nothing without a second factor but set one up', {
      preset: 'none',
      example: 'admin',
    }),
  ),
  AUDIT_RETENTION_DAYS: integer(1, 36_500).prefault('90').meta(about('Audit events are kept this long')),
  REDIS_URL: redisUrls.optional().meta(
    about('Redis, where replicas count rate limits together; several URLs with commas are nodes of a Redis Cluster', {
      secret: true,
      example: 'redis://:secret@redis:6379/0',
      preset: 'none: each replica counts for itself',
    }),
  ),
  RATE_LIMITS: z
    .enum(['on', 'off'], { error: 'must be on or off' })
    .default('on')
    .meta(about('`off` only where a gateway before this service limits: nothing is counted then')),
  RATE_LIMIT_WITHOUT_REDIS: z
    .enum(['local', 'refuse'], { error: 'must be local or refuse' })
    .default('local')
    .meta(
      about(
        'While Redis cannot be had: `local` counts in each replica by its share of the limit, `refuse` answers 503',
      ),
    ),
  ...quotas,
  PROFILE_SCHEMA_FILE: schemaFile.meta(
    about('JSON Schema (2020-12) of the `profile` of users', {
      preset: 'none: any JSON object',
      example: '/etc/gatehouse/profile.schema.json',
    }),
  ),
  METADATA_SCHEMA_FILE: schemaFile.meta(
    about('The same for their `metadata`', {
      preset: 'none: any JSON object',
      example: '/etc/gatehouse/metadata.schema.json',
    }),
  ),
  ...avatarStore,
  GRAPHQL: z
    .enum(['lazy', 'eager', 'off'], { error: 'must be lazy, eager or off' })
    .default('lazy')
    .meta(about('`/graphql`: loaded by the first request, `eager` at start, or `off`')),
  GRAPHQL_INTROSPECTION: flag
    .optional()
    .meta(about('Whether `/graphql` tells its schema', { preset: 'false in production, else true' })),
  TRUST_PROXY: proxyList.prefault('').meta(
    about('Addresses or CIDRs of your own proxies, whose X-Forwarded-For counts', {
      preset: 'none',
      example: '10.1.2.0/24',
    }),
  ),
  DRAIN_DELAY_SECONDS: integer(0, 300)
    .prefault('0')
    .meta(about('After SIGTERM ready is red this long before the port closes; 5 in the container')),
  ...openConnections,
  CORS_ORIGINS: originList.prefault('').meta(
    about('Origins whose pages may call the API, or `*`; none by default', {
      preset: 'none',
      example: 'https://app.example.org,https://*.apps.example.org,capacitor://localhost',
    }),
  ),
  METRICS_TOKEN: z
    .string()
    .regex(/^[!-~]{16,}$/, 'must have at least 16 characters, of ASCII and without spaces')
    .optional()
    .meta(about('Turns GET /metrics on, for who sends it as a bearer token', { secret: true })),
  METRICS_PORT: integer(0, 65_535)
    .optional()
    .meta(about('Serves /metrics on a port of its own instead, which must not be reachable from outside')),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .meta(about('Least level that is logged')),
});

type Parsed = z.infer<typeof configSchema>;
/** What follows from other settings where it is not set. */
type Derived =
  | 'PUBLIC_URL'
  | 'ISSUER'
  | 'AUDIENCE'
  | 'GRAPHQL_INTROSPECTION'
  | 'MAX_CONNECTIONS_PER_ADDRESS'
  | 'MAX_REVOCATION_STREAMS';
export type Config = Readonly<
  Omit<Parsed, Derived> & {
    PUBLIC_URL: string;
    ISSUER: string;
    AUDIENCE: string;
    GRAPHQL_INTROSPECTION: boolean;
    /** Where secrets came from that came from files, by variable. */
    secretFiles: Readonly<Record<string, string>>;
    MAX_CONNECTIONS_PER_ADDRESS: number;
    MAX_REVOCATION_STREAMS: number;
  }
>;

/** Injection token of the `Config`. */
export const CONFIG = Symbol('Config');

/** Whether the service keeps its data in PGlite: one process, so that there is no other replica. */
export const isEmbedded = ({ DATABASE_URL }: Pick<Config, 'DATABASE_URL'>): boolean => DATABASE_URL === undefined;
