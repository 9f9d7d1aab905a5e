/**
 * The floor of messages: the least that a Fastify server must do to keep a text under a token and
 * to give it back. The same ES256 check, the same row of the same size by one prepared INSERT,
 * the same SELECT by a hash, over a pool of 10; no encryption, no caps, no audit row, no
 * framework above Fastify. With `WHOLE=on` the INSERT is the statement that Gatehouse sends: with
 * the caps and the audit row in it.
 */
import { createHash, createPublicKey, type KeyObject, randomBytes, randomUUID } from 'node:crypto';
import process from 'node:process';

import fastify, { type FastifyRequest } from 'fastify';
import jwt from 'jsonwebtoken';
import pg from 'pg';

const { DATABASE_URL, PORT, ISSUER, AUDIENCE, WHOLE } = process.env;

/** Nonce and tag of AES-GCM, and a sealed key: so many bytes more has a row of ours. */
const [sealBytes, sealedKey] = [28, randomBytes(65)];
const columns = `id, token_hash, sender, sender_id, sealed_key, body, size, created_at, expires_at`;
const row = `$1::uuid, $2::bytea, $3::text, $4::uuid, $5::bytea, $6::bytea, $7::int, now(), now() + interval '7 days'`;
const plain = { name: 'create', text: `insert into messages (${columns}) values (${row}) returning id` };
const whole = {
  name: 'create-whole',
  text: `with room as materialized (select message_room($3::text, $7::int, 1000000, 1000000000000) as has_room),
    message as (insert into messages (${columns}) select ${row} from room where has_room returning id),
    audit as (insert into audit_events (id, event, user_id, caller, ip, user_agent, request_id, details)
      select gen_random_uuid(), 'message-created', $4::uuid, $3::text, '127.0.0.1', null, $8::text,
        jsonb_build_object('messageId', id) from message)
    select id from message`,
};
const byHash = {
  name: 'view',
  text: `select id, max_reads, recipient_id, (extract(epoch from expires_at) * 1000)::float8 as expires_ms,
      (extract(epoch from created_at) * 1000)::float8 as created_ms, reads_left, sealed_key, body
    from messages where token_hash = $1 and expires_at > now() and (reads_left is null or reads_left > 0)
      and (recipient_id is null or recipient_id = $2::uuid)`,
};

const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 10 });
const keys = await loadKeys();
const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest();

const app = fastify();
app.get('/ready', () => 'ok');
app.post<{ Body: { body: string } }>('/v1/messages', async (request, reply) => {
  const userId = check(request);
  if (userId === undefined) return reply.code(401).send();
  const [id, token, text] = [randomUUID(), randomBytes(32).toString('base64url'), Buffer.from(request.body.body)];
  const body = Buffer.concat([text, Buffer.alloc(sealBytes)]);
  const values = [id, hashOf(token), `user:${userId}`, userId, sealedKey, body, text.length];
  await pool.query(WHOLE === 'on' ? { ...whole, values: [...values, randomUUID()] } : { ...plain, values });
  return reply.code(201).send({ url: `${ISSUER}/m#${token}`, id, expiresAt: new Date().toISOString() });
});
app.get<{ Params: { token: string } }>('/v1/messages/:token', async (request, reply) => {
  const { rows } = await pool.query({ ...byHash, values: [hashOf(request.params.token), null] });
  const [found] = rows;
  if (!found) return reply.code(404).send();
  return {
    id: found.id,
    body: found.body.subarray(0, -sealBytes).toString('utf8'),
    createdAt: new Date(found.created_ms).toISOString(),
    expiresAt: new Date(found.expires_ms).toISOString(),
    maxReads: found.max_reads,
    readsLeft: found.reads_left,
    recipientId: found.recipient_id,
  };
});
await app.listen({ port: Number(PORT), host: '127.0.0.1' });
process.on('SIGTERM', () => process.exit(0));

async function loadKeys(): Promise<ReadonlyMap<string, KeyObject>> {
  const { rows } = await pool.query('select id, public_jwk from signing_keys');
  return new Map(rows.map(({ id, public_jwk: key }) => [id, createPublicKey({ key, format: 'jwk' })]));
}

function check({ headers }: FastifyRequest): string | undefined {
  const token = headers.authorization?.slice('Bearer '.length) ?? '';
  const { kid } = JSON.parse(Buffer.from(token.slice(0, token.indexOf('.')), 'base64url').toString());
  const key = keys.get(kid);
  if (!key) return undefined;
  try {
    const claims = jwt.verify(token, key, { algorithms: ['ES256'], issuer: ISSUER, audience: AUDIENCE });
    return typeof claims === 'string' ? undefined : claims.sub;
  } catch {
    return undefined;
  }
}
