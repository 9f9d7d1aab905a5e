import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { createRemoteJWKSet, jwtVerify } from 'jose';
import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { freePort } from '../support/free-port.js';
import { signInAdmin } from '../support/people.js';
import { newService, newTarget, patchService, type Service, type Target } from '../support/services.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';

// marked as deprecated to stand out: it is for http, as here
// oxlint-disable-next-line typescript/no-deprecated
const insecure = { [oauth.allowInsecureRequests]: true };

let gatehouse: Gatehouse;
let bossToken: string;
let shop: Service;
let orders: Target;
let api: Server;
let apiUrl: string;

beforeAll(async () => {
  const port = await freePort();
  gatehouse = await startGatehouse({ PORT: String(port), PUBLIC_URL: `http://127.0.0.1:${port}` });
  bossToken = (await signInAdmin(gatehouse)).token;
  shop = await newService(gatehouse, { token: bossToken, scopes: ['users:read'] });
  orders = await newTarget(gatehouse, bossToken, ['orders:read', 'orders:write']);
  const grants = [{ audience: orders.audience, permissions: ['orders:read', 'orders:write'] }];
  await patchService(gatehouse, { token: bossToken, name: shop.name, grants });
  api = await startOrders();
  apiUrl = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
});
afterAll(async () => {
  api.close();
  await gatehouse.stop();
});

/** A service that takes tokens for its audience, as jose's documentation says and nothing more. */
async function startOrders(): Promise<Server> {
  const keys = createRemoteJWKSet(new URL(`${gatehouse.url}/.well-known/jwks.json`));
  const options = { issuer: gatehouse.url, audience: orders.audience, typ: 'at+jwt', algorithms: ['ES256'] };
  const server = createServer(({ headers: { authorization = '' } }, response) => {
    jwtVerify(authorization.replace('Bearer ', ''), keys, options).then(
      ({ payload }) => response.end(JSON.stringify({ client: payload['client_id'], scope: payload['scope'] })),
      () => response.writeHead(401).end(),
    );
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
}

const callOrders = async (token: string): Promise<unknown> => {
  const answer = await fetch(apiUrl, { headers: { authorization: `Bearer ${token}` } });
  return answer.ok ? answer.json() : answer.status;
};

describe.each(['client_secret_basic', 'client_secret_post'] as const)('by %s', (method) => {
  test('openid-client discovers, and gets a token that another service takes', async () => {
    const authentication = method === 'client_secret_basic' ? client.ClientSecretBasic : client.ClientSecretPost;
    const config = await client.discovery(
      new URL(gatehouse.url),
      shop.name,
      undefined,
      authentication(shop.secret),
      // marked as deprecated to stand out: it is for http, as here
      // oxlint-disable-next-line typescript/no-deprecated
      { execute: [client.allowInsecureRequests] },
    );
    const tokens = await client.clientCredentialsGrant(config, { scope: 'orders:read', resource: orders.audience });
    expect(tokens).toMatchObject({ token_type: 'bearer', scope: 'orders:read', expires_in: 900 });
    expect(tokens.refresh_token).toBeUndefined();
    expect(await callOrders(tokens.access_token)).toEqual({ client: shop.name, scope: 'orders:read' });
    const own = await client.clientCredentialsGrant(config);
    expect(await callOrders(own.access_token)).toBe(401);
    expect((await gatehouse.api.get('/v1/users?limit=1', { token: own.access_token })).status).toBe(200);
    await expect(client.clientCredentialsGrant(config, { scope: 'root' })).rejects.toMatchObject({
      error: 'invalid_scope',
      status: 400,
    });
  });

  test('oauth4webapi gets one too', async () => {
    const issuer = new URL(gatehouse.url);
    const discovered = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure });
    const server = await oauth.processDiscoveryResponse(issuer, discovered);
    expect(server.token_endpoint_auth_methods_supported).toContain(method);
    const authentication = method === 'client_secret_basic' ? oauth.ClientSecretBasic : oauth.ClientSecretPost;
    const request = async (secret: string, fields: Record<string, string>): Promise<oauth.TokenEndpointResponse> => {
      const as = { client_id: shop.name };
      const proof = authentication(secret);
      const answer = await oauth.clientCredentialsGrantRequest(
        server,
        as,
        proof,
        new URLSearchParams(fields),
        insecure,
      );
      return oauth.processClientCredentialsResponse(server, as, answer);
    };
    const { access_token: token, scope } = await request(shop.secret, { resource: orders.audience });
    expect(scope).toBe('orders:read orders:write');
    expect(await callOrders(token)).toEqual({ client: shop.name, scope });
    const target = { resource: 'https://elsewhere.example.org' };
    await expect(request(shop.secret, target)).rejects.toMatchObject({ error: 'invalid_target', status: 400 });
    await expect(request('wrong', {})).rejects.toMatchObject({ status: 401 });
  });
});
