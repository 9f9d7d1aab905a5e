import { beforeAll, describe, expect, test } from 'vitest';

import { newPerson, type Person, signInAdmin } from '../support/people.js';
import { newService, type Service, tokenOf } from '../support/services.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse();
let bossToken: string;
let person: Person;
let reader: Service;
let other: Service;

beforeAll(async () => {
  bossToken = (await signInAdmin(gatehouse)).token;
  person = await newPerson(gatehouse);
  reader = await newService(gatehouse, { token: bossToken, scopes: ['revocations:read'] });
  other = await newService(gatehouse, { token: bossToken, scopes: ['users:read', 'tokens:introspect'] });
});

describe('who may read the feed', () => {
  test.for<[string, number, () => object | Promise<object>]>([
    ['nobody', 401, () => ({})],
    ['a user', 403, () => ({ token: person.token })],
    ['an administrator', 403, () => ({ token: bossToken })],
    ['a service without the scope', 403, () => ({ headers: other.headers })],
    ['a service with it', 200, () => ({ headers: reader.headers })],
    ['a service with it that acts for a user', 403, () => ({ headers: reader.headers, token: person.token })],
    ['a token of a service with it', 200, async () => ({ token: await tokenOf(gatehouse, reader) })],
    ['a token of a service without it', 403, async () => ({ token: await tokenOf(gatehouse, other) })],
    ['a wrong key', 401, () => ({ headers: { 'x-service-key': `${reader.name}.${other.secret}` } })],
  ])('%s: %i', async ([, status, make]) => {
    const answer = await gatehouse.api.get('/v1/auth/revocations', await make());
    expect(answer.status, answer.text).toBe(status);
  });
});
