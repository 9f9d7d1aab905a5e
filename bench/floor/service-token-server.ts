/**
 * The floor of tokens for services: the least that a Fastify server must do for client credentials.
 * The same form, the same SHA-256 of the secret compared in constant time, the same claims under
 * the same header signed by the same library with a key of the same kind; no framework above
 * Fastify, no limits, no headers, no log, no audit.
 */
import { createHash, generateKeyPairSync, randomUUID, timingSafeEqual } from 'node:crypto';
import process from 'node:process';

import fastify from 'fastify';
import jwt from 'jsonwebtoken';

const { PORT, ISSUER, AUDIENCE, SERVICE_KEY = '' } = process.env;
const [ownName = '', ownSecret = ''] = SERVICE_KEY.split('.');
const hashOf = (secret: string): Buffer => createHash('sha256').update(secret).digest();
const services = new Map([[ownName, { hash: hashOf(ownSecret), scopes: ['users:read', 'tokens:revoke'] }]]);
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const header = { alg: 'ES256', typ: 'at+jwt', kid: randomUUID() };
const lifetimeSeconds = 3_600;

const app = fastify();
app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) => {
  done(null, Object.fromEntries(new URLSearchParams(String(body))));
});
app.get('/ready', () => 'ok');
app.post<{ Body: Record<string, string> }>('/v1/auth/token', async (request, reply) => {
  const [name = '', secret = ''] = Buffer.from(request.headers.authorization?.slice(6) ?? '', 'base64')
    .toString('utf8')
    .split(':');
  const service = services.get(name);
  if (!service || !timingSafeEqual(hashOf(secret), service.hash)) return reply.code(401).send();
  const { grant_type: grant, scope = '' } = request.body;
  const asked = scope.split(' ');
  if (grant !== 'client_credentials' || asked.some((one) => !service.scopes.includes(one))) {
    return reply.code(400).send();
  }
  const iat = Math.floor(Date.now() / 1_000);
  const parties = { iss: ISSUER, sub: name, aud: AUDIENCE, client_id: name };
  const claims = { ...parties, exp: iat + lifetimeSeconds, iat, jti: randomUUID(), scope, gen: 0 };
  const token = jwt.sign(claims, privateKey, { algorithm: 'ES256', header });
  return { access_token: token, token_type: 'Bearer', expires_in: lifetimeSeconds, scope };
});
await app.listen({ port: Number(PORT), host: '127.0.0.1' });
process.on('SIGTERM', () => process.exit(0));
