import { expect } from 'vitest';

import type { Answer } from './api.js';
import { uniqueName } from './people.js';
import type { Gatehouse } from './start-gatehouse.js';

export type Service = {
  readonly name: string;
  readonly secret: string;
  /** What it sends with every call. */
  readonly headers: { readonly 'x-service-key': string };
};

type NewService = {
  readonly token: string;
  readonly scopes: readonly string[];
  readonly plan?: object;
  readonly audience?: string;
  readonly permissions?: readonly string[];
};

/** A calling microservice with just these scopes. */
export async function newService({ api }: Gatehouse, { token, ...fields }: NewService): Promise<Service> {
  const name = uniqueName('service');
  const created = await api.post('/v1/services', { token, body: { name, ...fields } });
  expect(created.status, created.text).toBe(201);
  return { name, secret: created.body.secret, headers: keyOf(name, created.body.secret) };
}

export const keyOf = (name: string, secret: string): Service['headers'] => ({ 'x-service-key': `${name}.${secret}` });

/** A service that others get tokens for. */
export type Target = Service & { readonly audience: string };

export async function newTarget(gatehouse: Gatehouse, token: string, permissions: string[] = []): Promise<Target> {
  const audience = `https://${uniqueName('api')}.example.org`;
  return { ...(await newService(gatehouse, { token, scopes: [], audience, permissions })), audience };
}

/** Changes a service as an administrator. */
export async function patchService(
  { api }: Gatehouse,
  { token, name, ...body }: { token: string; name: string; grants?: readonly object[]; status?: string },
): Promise<void> {
  const answer = await api.patch(`/v1/services/${name}`, { token, body });
  expect(answer.status, answer.text).toBe(200);
}

/** What `POST /v1/auth/token` answers to the fields of a form, beside the grant. */
export const askToken = (
  { api }: Gatehouse,
  headers: Record<string, string>,
  fields: Record<string, string> = {},
): Promise<Answer> =>
  api.post('/v1/auth/token', {
    headers,
    body: new URLSearchParams({ grant_type: 'client_credentials', ...fields }),
  });

/** A token of a service. */
export async function tokenOf(gatehouse: Gatehouse, { headers }: Service, fields = {}): Promise<string> {
  const answer = await askToken(gatehouse, headers, fields);
  expect(answer.status, answer.text).toBe(200);
  return answer.body.access_token;
}

export const basic = (name: string, secret: string): { readonly authorization: string } => ({
  authorization: `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}`,
});
