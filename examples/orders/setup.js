import { writeFileSync } from 'node:fs';

import { administrator, audience, issuer, keyFile, permissions, readIfThere } from './settings.js';

const name = 'orders';
/** What the verifier needs: the feed of revocations, and to ask about a token while the feed is cut. */
const scopes = ['revocations:read', 'tokens:introspect'];

/** @returns the key of this service at Gatehouse; the first time, an administrator registers it */
export async function serviceKey() {
  const kept = readIfThere(keyFile);
  if (kept !== undefined) return kept;
  if (administrator.password === undefined) throw new Error(howToRegister);
  const token = await signIn(administrator);
  const key = `${name}.${await register(token)}`;
  await makeRole(token);
  writeFileSync(keyFile, `${key}\n`, { mode: 0o600 });
  return key;
}

const howToRegister = `Gatehouse does not know this service yet. Start it once with ADMIN_USER_NAME and ADMIN_PASSWORD
(or ADMIN_PASSWORD_FILE) of an administrator of ${issuer}, or register it yourself and put
\`${name}.<secret>\` into ${keyFile}:
  POST ${issuer}/v1/services ${JSON.stringify({ name, audience, scopes, permissions })}`;

async function signIn({ userName, password }) {
  const { status, body } = await post('/v1/auth/login', { userName, password });
  if (status !== 200) throw refused('log in as an administrator', body);
  return body.accessToken;
}

/** A service that is there already, and whose key is lost, gets a new secret. */
async function register(token) {
  const created = await post('/v1/services', { name, audience, scopes, permissions }, token);
  if (created.status === 201) return created.body.secret;
  if (created.body.code !== 'service-name-taken') throw refused('register this service', created.body);
  const rotated = await post(`/v1/services/${name}/secret`, undefined, token);
  if (rotated.status !== 200) throw refused('get a new secret', rotated.body);
  return rotated.body.secret;
}

/** Somebody with this role may read orders, and not write them. */
async function makeRole(token) {
  const { status, body } = await post('/v1/roles', { name: 'orders-reader', permissions: ['orders:read'] }, token);
  if (status !== 201 && body.code !== 'role-exists') throw refused('make a role', body);
}

async function post(path, body, token) {
  const answer = await ask(issuer + path, {
    method: 'POST',
    headers: {
      ...(body && { 'content-type': 'application/json' }),
      ...(token && { authorization: `Bearer ${token}` }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  /** @type {any} What Gatehouse answers is in its openapi.json. */
  const json = await answer.json();
  return { status: answer.status, body: json };
}

const ask = (url, request) =>
  fetch(url, request).catch((cause) => {
    throw new Error(`Gatehouse does not answer at ${issuer}. Start it first.`, { cause });
  });

const refused = (what, { code, detail }) => new Error(`Gatehouse did not let me ${what}: ${code}. ${detail}`);
