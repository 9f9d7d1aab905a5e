import { createPublicKey } from 'node:crypto';
import type { AddressInfo } from 'node:net';

import express from 'express';
import { auth } from 'express-oauth2-jwt-bearer';
import { createVerifier, type DecodedJwt } from 'fast-jwt';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import jsonwebtoken from 'jsonwebtoken';
import { JwksClient } from 'jwks-rsa';

/** Another service that checks tokens by itself; it rejects those it does not take. */
export type Verifier = {
  readonly name: string;
  /** @returns the `sub` of a good token */
  readonly verify: (token: string) => Promise<unknown>;
};

const typ = 'at+jwt';
const algorithms = ['ES256'] as const;

/**
 * The libraries that services in Node check tokens with, each as its own
 * documentation says and nothing more; for the service of an audience,
 * by default Gatehouse's own.
 */
export async function startVerifiers(
  issuer: string,
  audience = issuer,
): Promise<{ verifiers: readonly Verifier[]; stop: () => void }> {
  const jwksUri = `${issuer}/.well-known/jwks.json`;
  const server = await expressServer(issuer, audience);
  const verifiers = [
    { name: 'jose', verify: byJose(issuer, audience, jwksUri) },
    { name: 'fast-jwt', verify: byFastJwt(issuer, audience, jwksUri) },
    { name: 'jsonwebtoken and jwks-rsa', verify: byJsonwebtoken(issuer, audience, jwksUri) },
    { name: 'express-oauth2-jwt-bearer', verify: byExpress(server.url) },
  ];
  return { verifiers, stop: server.stop };
}

function byJose(issuer: string, audience: string, jwksUri: string): Verifier['verify'] {
  const keys = createRemoteJWKSet(new URL(jwksUri));
  const options = { issuer, audience, typ, algorithms: [...algorithms] };
  return async (token) => (await jwtVerify(token, keys, options)).payload.sub;
}

function byFastJwt(issuer: string, audience: string, jwksUri: string): Verifier['verify'] {
  const verify = createVerifier({
    key: async ({ header }: DecodedJwt) => {
      const { keys }: any = await (await fetch(jwksUri)).json();
      const jwk = keys.find(({ kid }: any) => kid === header['kid']);
      return createPublicKey({ key: jwk, format: 'jwk' }).export({ format: 'pem', type: 'spki' });
    },
    algorithms: [...algorithms],
    allowedIss: issuer,
    allowedAud: audience,
    checkTyp: typ,
    requiredClaims: ['sub', 'exp', 'iat', 'jti', 'client_id'],
  });
  return async (token) => (await verify(token)).sub;
}

function byJsonwebtoken(issuer: string, audience: string, jwksUri: string): Verifier['verify'] {
  const client = new JwksClient({ jwksUri });
  return async (token) => {
    const { kid } = jsonwebtoken.decode(token, { complete: true })?.header ?? {};
    const key = (await client.getSigningKey(kid)).getPublicKey();
    const payload: any = jsonwebtoken.verify(token, key, { issuer, audience, algorithms: [...algorithms] });
    return payload.sub;
  };
}

/** RFC 9068 in full (`strict`), found by discovery. */
async function expressServer(issuerBaseURL: string, audience: string): Promise<{ url: string; stop: () => void }> {
  const app = express();
  app.use(auth({ issuerBaseURL, audience, tokenSigningAlg: 'ES256', strict: true }));
  app.get('/', (request, response) => void response.json({ sub: request.auth?.payload.sub }));
  // Express prints what it refuses otherwise
  app.set('env', 'test');
  const server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

function byExpress(url: string): Verifier['verify'] {
  return async (token) => {
    const answer = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
    if (answer.status !== 200) throw new Error(`${answer.status} ${answer.headers.get('www-authenticate')}`);
    const { sub }: any = await answer.json();
    return sub;
  };
}
