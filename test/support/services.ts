import { expect } from 'vitest';

import { uniqueName } from './people.js';
import type { Gatehouse } from './start-gatehouse.js';

export type Service = {
  readonly name: string;
  readonly secret: string;
  /** What it sends with every call. */
  readonly headers: { readonly 'x-service-key': string };
};

/** A calling microservice with just these scopes. */
export async function newService(
  { api }: Gatehouse,
  { token, scopes, plan }: { token: string; scopes: readonly string[]; plan?: object },
): Promise<Service> {
  const name = uniqueName('service');
  const created = await api.post('/v1/services', { token, body: { name, scopes, plan } });
  expect(created.status, created.text).toBe(201);
  return { name, secret: created.body.secret, headers: keyOf(name, created.body.secret) };
}

export const keyOf = (name: string, secret: string): Service['headers'] => ({ 'x-service-key': `${name}.${secret}` });
