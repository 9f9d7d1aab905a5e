import { expect } from 'vitest';

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
