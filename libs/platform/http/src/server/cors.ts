import cors from '@fastify/cors';
import type { FastifyInstance } from 'fastify';

/** What pages of other origins may read of an answer, beside what the Fetch standard lets them. */
const exposedHeaders = [
  'ETag',
  'Link',
  'Location',
  'RateLimit',
  'RateLimit-Policy',
  'Retry-After',
  'WWW-Authenticate',
  'X-Request-Id',
];
const preflightSeconds = 600;

/**
 * Lets pages of these origins call the API; of none by default. Cookies (the device cookie of
 * login) only go with origins that are named, not with `*`.
 */
export function allowOrigins(server: FastifyInstance, origins: readonly string[]): void {
  if (origins.length === 0) return;
  const isAny = origins.includes('*');
  void server.register(cors, {
    origin: isAny ? '*' : origins.map(toMatcher),
    credentials: !isAny,
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders,
    maxAge: preflightSeconds,
    strictPreflight: false,
  });
}

/**
 * `https://*.example.org` is every host below that domain, however deep, but not the domain itself.
 */
function toMatcher(origin: string): string | RegExp {
  const [scheme = '', domain] = origin.split('*.');
  if (domain === undefined) return origin;
  const escaped = domain.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(String.raw`^${scheme}[a-z0-9_][a-z0-9._-]*\.${escaped}$`);
}
