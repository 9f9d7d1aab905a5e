/**
 * The floor: the least that a Fastify server must do for `GET /v1/users/me`. The same ES256 check,
 * the same SELECT by a prepared statement over a pool of 10, the same body; no framework above
 * Fastify, no guard, no headers, no log. `GET /v1/users?limit=` likewise, for the first page. With
 * `CACHE=on` it keeps verified tokens, as Gatehouse does: the harder floor.
 */
import { createPublicKey, type KeyObject } from 'node:crypto';
import process from 'node:process';

import fastify from 'fastify';
import jwt from 'jsonwebtoken';
import pg from 'pg';

const { DATABASE_URL, PORT, ISSUER, AUDIENCE, CACHE } = process.env;

type Row = {
  readonly id: string;
  readonly user_name: string;
  readonly first_name: string;
  readonly last_name: string;
  readonly email: string | null;
  readonly subject: string | null;
  readonly roles: string;
  readonly status: string;
  readonly profile: object | null;
  readonly metadata: object | null;
  readonly email_verified: boolean;
  readonly pending_email: string | null;
  readonly version: number;
  readonly created_ms: number;
  readonly updated_ms: number | null;
};
type Verified = { readonly sub: string; readonly exp: number };

const byId = {
  name: 'user-by-id',
  text: `select id, user_name, first_name, last_name, email, array_to_string(roles, ' ') as roles, status,
    encode(avatar_hash, 'hex') as avatar_hash, subject, nullif(profile, '{}') as profile,
    nullif(metadata, '{}') as metadata, email_verified, pending_email, version,
    (extract(epoch from created_at) * 1000)::float8 as created_ms,
    case when updated_at <> created_at then (extract(epoch from updated_at) * 1000)::float8 end as updated_ms
    from users where id = $1`,
};

/** As Gatehouse asks, unnamed. */
const page = { text: byId.text.replace('where id = $1', 'order by created_at desc, id desc limit $1') };

const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 10 });
const keys = await loadKeys();
const cache = new Map<string, Verified>();

const app = fastify();
app.get('/ready', () => 'ok');
app.get('/v1/users/me', async (request, reply) => {
  const header = request.headers.authorization;
  const user = header?.startsWith('Bearer ') ? check(header.slice(7)) : undefined;
  if (!user) return reply.code(401).send();
  const { rows } = await pool.query<Row>({ ...byId, values: [user.sub] });
  const [row] = rows;
  if (!row) return reply.code(404).send();
  return view(row);
});
app.get('/v1/users', async (request, reply) => {
  const header = request.headers.authorization;
  if (!header?.startsWith('Bearer ') || !check(header.slice(7))) return reply.code(401).send();
  const limit = Number((request.query as { limit: string }).limit);
  const { rows } = await pool.query<Row>({ ...page, values: [limit + 1] });
  const last = rows[limit - 1];
  const nextCursor = Buffer.from(JSON.stringify([last?.created_ms, last?.id])).toString('base64url');
  return { items: rows.slice(0, limit).map(view), nextCursor };
});
await app.listen({ port: Number(PORT), host: '127.0.0.1' });
process.on('SIGTERM', () => process.exit(0));

async function loadKeys(): Promise<ReadonlyMap<string, KeyObject>> {
  const { rows } = await pool.query('select id, public_jwk from signing_keys');
  return new Map(rows.map(({ id, public_jwk: key }) => [id, createPublicKey({ key, format: 'jwk' })]));
}

function check(token: string): Verified | undefined {
  const known = CACHE === 'on' ? cache.get(token) : undefined;
  if (known) return known.exp > Date.now() / 1000 ? known : undefined;
  const { kid } = JSON.parse(Buffer.from(token.slice(0, token.indexOf('.')), 'base64url').toString());
  const key = keys.get(kid);
  if (!key) return undefined;
  try {
    const verified = jwt.verify(token, key, { algorithms: ['ES256'], issuer: ISSUER, audience: AUDIENCE }) as Verified;
    if (CACHE === 'on') cache.set(token, verified);
    return verified;
  } catch {
    return undefined;
  }
}

function view(row: Row): unknown {
  const createdAt = new Date(row.created_ms).toISOString();
  return {
    id: row.id,
    subject: row.subject ?? row.id,
    userName: row.user_name,
    firstName: row.first_name,
    lastName: row.last_name,
    email: row.email,
    emailVerified: row.email_verified,
    pendingEmail: row.pending_email,
    roles: row.roles.split(' '),
    status: row.status,
    avatar: null,
    profile: row.profile ?? {},
    metadata: row.metadata ?? {},
    createdAt,
    updatedAt: row.updated_ms === null ? createdAt : new Date(row.updated_ms).toISOString(),
  };
}
