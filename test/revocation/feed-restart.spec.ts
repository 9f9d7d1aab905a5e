import { afterAll, beforeAll, expect, inject, test } from 'vitest';

import { copyDatabase, type OwnDatabase } from '../support/copy-database.js';
import { feedPath, toldOf, walkFeed } from '../support/feed.js';
import { newPerson, signInAdmin } from '../support/people.js';
import { newService } from '../support/services.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';

let own: OwnDatabase;
let gatehouse: Gatehouse;

beforeAll(async () => {
  own = await copyDatabase();
  gatehouse = await startGatehouse({}, own);
});
afterAll(async () => {
  await gatehouse.stop();
  await own.drop();
});

test('a start of the service begins the feed anew where the database starts with it, and only there', async () => {
  const { token } = await signInAdmin(gatehouse);
  const reader = await newService(gatehouse, { token, scopes: ['revocations:read'] });
  const { epoch, cursor } = await walkFeed(gatehouse, reader);
  const person = await newPerson(gatehouse);
  await gatehouse.api.post('/v1/auth/logout', { token: person.token });
  await gatehouse.stop();
  gatehouse = await startGatehouse({}, own);
  const { status } = await gatehouse.api.get(feedPath({ cursor }), { headers: reader.headers });
  const walk = await walkFeed(gatehouse, reader);
  // the folder may have been put back from a copy meanwhile
  const isEmbedded = inject('database') === 'pglite';
  expect([status, walk.epoch === epoch]).toEqual(isEmbedded ? [409, false] : [200, true]);
  expect(toldOf(walk, person.sessionId)).toHaveLength(1);
});
