import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';

export type IssuerKey = {
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
  readonly alg: string;
};

/** Another issuer of OpenID Connect, with keys of its own. */
export type OidcIssuer = {
  readonly url: string;
  /** What it publishes; tests put keys in and take them out. */
  readonly keys: unknown[];
  /** How often it was asked for a path. */
  readonly requests: Map<string, number>;
  /** In place of the usual answer to every request. */
  answer: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;
  /** `cache-control` of the keys. */
  cacheControl: string;
  addKey(alg?: string): Promise<IssuerKey>;
  sign(key: IssuerKey, claims?: object, header?: object): Promise<string>;
  stop(): void;
};

export const audience = 'https://orders.example.org';

export async function startOidcIssuer({ path = '' } = {}): Promise<OidcIssuer> {
  const requests = new Map<string, number>();
  const server = createServer((request, response) => {
    const { url = '' } = request;
    requests.set(url, (requests.get(url) ?? 0) + 1);
    if (issuer.answer) return issuer.answer(request, response);
    const document = documents()[url];
    response.writeHead(document ? 200 : 404, {
      'content-type': 'application/json',
      ...(url.endsWith('/keys') && { 'cache-control': issuer.cacheControl }),
    });
    response.end(JSON.stringify(document ?? {}));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
  const documents = (): Record<string, unknown> => ({
    [`${path}/.well-known/openid-configuration`]: { issuer: base, jwks_uri: `${base}/keys` },
    [`${path}/keys`]: { keys: issuer.keys },
  });
  const issuer: OidcIssuer = {
    url: base,
    keys: [],
    requests,
    answer: undefined,
    cacheControl: 'max-age=300',
    addKey: async (alg = 'RS256') => {
      const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
      const kid = randomUUID();
      const jwk = { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' };
      issuer.keys.push(jwk);
      return { kid, privateKey, jwk, alg };
    },
    sign: ({ kid, privateKey, alg }, claims = {}, header = {}) =>
      new SignJWT({ iss: base, sub: 'ada', aud: audience, exp: Math.floor(Date.now() / 1000) + 600, ...claims })
        .setProtectedHeader({ alg, kid, ...header })
        .sign(privateKey),
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
  return issuer;
}
