import type { AddressInfo } from 'node:net';

import { Controller, Get, HttpCode, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import express from 'express';
import Fastify from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { Verified, Verifier } from '#verifier';

import { requireToken as expressToken, serveProtectedResource } from '../../packages/verifier/src/express.js';
import { requireToken as fastifyToken, verifierPlugin } from '../../packages/verifier/src/fastify.js';
import { RequireToken, VerifiedToken, VerifierModule, WithoutToken } from '../../packages/verifier/src/nest.js';
import { issuer, ownVerifier } from '../support/own-verifier.js';
import { newPerson, type Person } from '../support/people.js';
import { newHolder, newRole } from '../support/roles.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse();
const writing = { permissions: ['orders:write'] };
const verifiers: Verifier[] = [];
let reader: Person;
let writer: Person;

beforeAll(async () => {
  reader = await newPerson(gatehouse);
  writer = await newHolder(gatehouse, await newRole(gatehouse, { permissions: writing.permissions }));
});
afterAll(async () => {
  for (const verifier of verifiers) await verifier.close();
});

type Server = { readonly url: string; readonly stop: () => unknown };

async function start(): Promise<Verifier> {
  const verifier = await ownVerifier(gatehouse, { protectedResource: { resource: 'https://orders.example.org' } });
  verifiers.push(verifier);
  return verifier;
}

async function startExpress(): Promise<Server> {
  const verifier = await start();
  const app = express();
  app.use(serveProtectedResource(verifier));
  app.get('/open', (_, response) => void response.json({}));
  app.use(expressToken(verifier));
  app.get('/orders', (request, response) => void response.json({ sub: request.verified?.claims.sub }));
  app.post('/orders', expressToken(verifier, writing), (_, response) => void response.json({}));
  const server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const stop = (): unknown => server.close();
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, stop };
}

async function startFastify(): Promise<Server> {
  const verifier = await start();
  const app = Fastify();
  await app.register(verifierPlugin, { verifier });
  app.get('/open', () => ({}));
  app.get('/orders', { onRequest: fastifyToken(verifier) }, ({ verified }) => ({ sub: verified?.claims.sub }));
  app.post('/orders', { onRequest: fastifyToken(verifier, writing) }, () => ({}));
  return { url: await app.listen({ port: 0, host: '127.0.0.1' }), stop: () => app.close() };
}

@Controller()
class Orders {
  @Get('open')
  @WithoutToken()
  open(): object {
    return {};
  }

  @Get('orders')
  read(@VerifiedToken() { claims }: Verified): object {
    return { sub: claims.sub };
  }
}

@Controller('orders')
@RequireToken(writing)
class Writing {
  @Post()
  @HttpCode(200)
  write(): object {
    return {};
  }
}

async function startNest(): Promise<Server> {
  const verifier = await start();
  class App {}
  Module({ imports: [VerifierModule.forRoot(verifier)], controllers: [Orders, Writing] })(App);
  const app = await NestFactory.create(App, new FastifyAdapter(), { logger: false });
  await app.listen(0, '127.0.0.1');
  return { url: (await app.getUrl()).replace('[::1]', '127.0.0.1'), stop: () => app.close() };
}

describe.each([
  ['Express', startExpress],
  ['Fastify', startFastify],
  ['Nest', startNest],
])('%s', (_, startServer) => {
  let server: Server;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.stop());

  const ask = (path: string, token?: string, method = 'GET'): Promise<Response> =>
    fetch(server.url + path, { method, headers: token === undefined ? {} : { authorization: `Bearer ${token}` } });

  test('a route without token is open to everybody', async () => {
    expect((await ask('/open')).status).toBe(200);
  });

  test('a good token lets its request pass, with its claims', async () => {
    const answer = await ask('/orders', reader.token);
    expect([answer.status, await answer.json()]).toEqual([200, { sub: reader.id }]);
  });

  test.each<[string | undefined, string, RegExp]>([
    [undefined, 'missing-token', /^Bearer resource_metadata="/],
    ['no.good.token', 'malformed', /^Bearer error="invalid_token", .*resource_metadata="/],
  ])('the token %j is answered with 401, a challenge and a problem', async (token, code, challenge) => {
    const answer = await ask('/orders', token);
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toMatch(challenge);
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(await answer.json()).toMatchObject({ status: 401, code });
  });

  test('a permission that a route asks for is needed', async () => {
    const refused = await ask('/orders', reader.token, 'POST');
    expect(refused.status).toBe(403);
    expect(refused.headers.get('www-authenticate')).toContain('scope="orders:write"');
    expect(await refused.json()).toMatchObject({ code: 'missing-permission' });
    expect((await ask('/orders', writer.token, 'POST')).status).toBe(200);
  });

  test('the metadata of the protected resource are served without a token (RFC 9728)', async () => {
    const answer = await ask('/.well-known/oauth-protected-resource');
    expect([answer.status, answer.headers.get('content-type')]).toEqual([
      200,
      expect.stringMatching(/^application\/json/),
    ]);
    expect(await answer.json()).toMatchObject({
      resource: 'https://orders.example.org',
      authorization_servers: [issuer],
    });
  });
});

test('a wrong option of a route is an error at the start, never an open route', async () => {
  const verifier = await start();
  const wrong: any[] = [{ permission: ['orders:write'] }, { permissions: 'orders:write' }, { maxAuthAgeSeconds: '5' }];
  for (const options of wrong) {
    expect(() => expressToken(verifier, options)).toThrow(TypeError);
    expect(() => fastifyToken(verifier, options)).toThrow(TypeError);
    expect(() => RequireToken(options)).toThrow(TypeError);
    await expect(verifier.verify(reader.token, options)).rejects.toThrow(TypeError);
  }
});

test('after a refusal Express runs nothing that comes behind', async () => {
  const app = express();
  const reached: string[] = [];
  app.use(expressToken(await start(), writing));
  app.use(({ method }, response) => {
    reached.push(method);
    if (!response.headersSent) response.json({});
  });
  const server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const ask = async (token: string | undefined, method: string): Promise<number> => {
    const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
    return (await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, { method, headers })).status;
  };
  const statuses = [await ask(undefined, 'PUT'), await ask(reader.token, 'PATCH'), await ask(writer.token, 'POST')];
  server.close();
  expect([statuses, reached]).toEqual([[401, 403, 200], ['POST']]);
});
