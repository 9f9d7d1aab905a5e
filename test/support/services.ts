import { SqlEntityManager } from '@mikro-orm/sql';
import { expect } from 'vitest';

import { ServiceDirectory } from '#libs/platform/access';
import { audienceKey } from '#libs/platform/contract';
import { ReplicaNotifications } from '#libs/platform/database';

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

/** What a service is for others, and what it may do at them. */
export type Standing = {
  readonly audience?: string;
  readonly permissions?: readonly string[];
  readonly grants?: readonly { readonly audience: string; readonly permissions: readonly string[] }[];
};

/**
 * Gives a service its audience, what its API knows, and its grants; known to this replica at once.
 */
export async function setStanding({ app }: Gatehouse, name: string, standing: Standing): Promise<void> {
  const { audience = null, permissions = [], grants = [] } = standing;
  await app
    .get(SqlEntityManager)
    .fork()
    .transactional(async (em) => {
      await em.execute(
        `update services set audience = ?, audience_key = ?, permissions = ?::text[], grants = ?::jsonb where name = ?`,
        [audience, audience && audienceKey(audience), `{${permissions.join(',')}}`, JSON.stringify(grants), name],
      );
      await app.get(ReplicaNotifications).publish(em, 'services', 'changed');
    });
  // as whoever writes does after the commit: embedded, nobody tells
  await (app.get(ServiceDirectory) as ServiceDirectory & { reload(): Promise<void> }).reload();
}

/** A service with an audience of its own. */
export async function newTarget(
  gatehouse: Gatehouse,
  { token, ...standing }: { token: string } & Standing,
): Promise<Service & { readonly audience: string }> {
  const service = await newService(gatehouse, { token, scopes: [] });
  const audience = `https://${service.name}.example.org`;
  await setStanding(gatehouse, service.name, { audience, ...standing });
  return { ...service, audience };
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
