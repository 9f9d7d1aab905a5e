import { createVerifier } from '@gatehouse/verifier';
import { requireToken } from '@gatehouse/verifier/express';
import express from 'express';

import { audience, issuer, port } from './settings.js';
import { serviceKey } from './setup.js';

const key = await serviceKey().catch((error) => {
  console.error(error.message);
  process.exit(1);
});
const verifier = createVerifier({ issuer, audience, serviceKey: key });
verifier.on('stale', () => console.warn('stale: Gatehouse cannot be heard'));
verifier.on('fresh', () => console.warn('fresh: Gatehouse is heard'));
verifier.on('introspection-denied', (reason) => console.warn(`Gatehouse refuses the key of this service: ${reason}`));
await verifier.ready();

const items = [{ id: 1, item: 'tea' }];

const app = express().disable('x-powered-by');
app.get('/orders', requireToken(verifier, { permissions: ['orders:read'] }), (_, response) => {
  response.json({ items });
});
// nothing of a body is read before it is known who sends it
app.post('/orders', requireToken(verifier, { permissions: ['orders:write'] }), express.json(), (request, response) => {
  const order = { id: items.length + 1, item: String(request.body?.item), by: request.verified?.claims.sub };
  items.push(order);
  response.status(201).json(order);
});

const server = app.listen(port, '127.0.0.1', (error) => {
  if (error) throw error;
  console.log(`Orders are at http://127.0.0.1:${port}/orders, for tokens of ${issuer} for ${audience}`);
});
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    server.close();
    server.closeIdleConnections();
    void verifier.close();
  });
}
