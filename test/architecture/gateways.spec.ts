import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

import { expect, test } from 'vitest';
import { parse } from 'yaml';

import { identityHeaders } from '../../apps/sidecar/src/identity-headers.js';

const read = (name: string): string =>
  readFileSync(resolve(import.meta.dirname, '../../deploy/gateways', name), 'utf8');
const claims = { iss: 'a', sub: 'b', aud: 'c', exp: 1 };
const names = Object.keys(identityHeaders(claims));
/** Other spellings that frameworks take for the same header. */
const inDots = names.map((name) => name.replaceAll('-', '.'));
const inUnderscores = names.map((name) => name.replaceAll('-', '_'));
const lower = (texts: readonly string[]): Set<string> => new Set(texts.map((text) => text.toLowerCase()));

test('nginx replaces each identity header, and drops every other spelling', () => {
  const conf = read('nginx.conf');
  const replaced = [...conf.matchAll(/proxy_set_header (X-\S+) \$/g)].map(([, name = '']) => name);
  expect(lower(replaced)).toEqual(new Set(names));
  expect(conf).toMatch(/^ *underscores_in_headers off;$/m);
  expect(conf).toMatch(/^ *ignore_invalid_headers on;$/m);
  for (const name of inUnderscores) expect(conf).toContain(`$upstream_http_${name};`);
});

test('Traefik takes each identity header of the client away in every spelling, then copies ours', () => {
  const { routers, middlewares } = parse(read('traefik.yml')).http;
  expect(routers.orders.middlewares).toEqual(['strip-identity', 'verify']);
  const stripped = middlewares['strip-identity'].headers.customRequestHeaders;
  expect(new Set(Object.values(stripped))).toEqual(new Set(['']));
  expect(lower(Object.keys(stripped))).toEqual(new Set([...names, ...inDots, ...inUnderscores]));
  expect(lower(middlewares.verify.forwardAuth.authResponseHeaders)).toEqual(new Set(names));
});

test('Envoy takes each identity header of the client away in every spelling, then copies ours', () => {
  const [chain] = parse(read('envoy.yaml')).static_resources.listeners[0].filter_chains;
  const manager = chain.filters[0].typed_config;
  expect(manager.common_http_protocol_options.headers_with_underscores_action).toBe('DROP_HEADER');
  const [mutation, authz, router] = manager.http_filters.map((filter: any) => filter.typed_config);
  const removed = mutation.mutations.request_mutations.map(({ remove }: any) => remove);
  expect(new Set(removed)).toEqual(new Set([...names, ...inDots]));
  expect(authz.failure_mode_allow).toBe(false);
  const { allowed_upstream_headers: upstream } = authz.http_service.authorization_response;
  expect(new Set(upstream.patterns.map(({ exact }: any) => exact))).toEqual(new Set(names));
  expect(router['@type']).toContain('Router');
});
