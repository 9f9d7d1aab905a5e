/**
 * The floor for pictures: a Fastify server that has one in memory and
 * answers it with the same headers.
 */
import { readFileSync } from 'node:fs';
import process from 'node:process';

import fastify from 'fastify';

const { PORT, PICTURE, ETAG } = process.env;
const picture = readFileSync(String(PICTURE));
const headers = {
  'content-type': 'image/webp',
  'cache-control': 'public, max-age=31536000, immutable',
  'cross-origin-resource-policy': 'cross-origin',
  etag: String(ETAG),
};

const app = fastify();
app.get('/ready', () => 'ok');
app.get('/v1/avatars/:file', (request, reply) => {
  void reply.headers(headers);
  if (request.headers['if-none-match'] === headers.etag) void reply.code(304).send();
  else void reply.send(picture);
});
await app.listen({ port: Number(PORT), host: '127.0.0.1' });
process.on('SIGTERM', () => process.exit(0));
