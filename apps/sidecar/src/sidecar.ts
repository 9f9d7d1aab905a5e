import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

import { problemOf, type Verifier, VerifyError, type VerifyOptions } from '#verifier';

import { identityHeaders } from './identity-headers.js';
import { permissionsOf, type Settings, SettingsError } from './settings.js';
import { VerdictCounts } from './verdict-counts.js';

/** Options of `/verify` that a gateway has asked with: as many as it has routes. */
const keptOptions = 1_000;

/** The verifier as a server, for gateways that ask about each request. */
export class Sidecar {
  readonly server: Server;
  readonly #counts = new VerdictCounts();
  readonly #options = new Map<string, VerifyOptions>();
  #isDraining = false;

  constructor(
    private readonly verifier: Verifier,
    private readonly settings: Pick<Settings, 'permissions' | 'policy' | 'staleAfterMs'>,
  ) {
    this.server = createServer(
      { maxHeaderSize: 32_768, headersTimeout: 10_000, requestTimeout: 10_000, connectionsCheckingInterval: 1_000 },
      (request, response) => this.#serve(request, response),
    );
    // a gateway keeps its connections
    this.server.keepAliveTimeout = 75_000;
  }

  /** From here on `ready` is 503, and connections close with their next answer. */
  drain(): void {
    this.#isDraining = true;
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    // a body has no say, and must not stay in the way of the next request
    request.resume();
    if (this.#isDraining) response.setHeader('connection', 'close');
    response.setHeader('cache-control', 'no-store');
    const { pathname, search } = splitTarget(request.url ?? '/');
    if (pathname === '/verify') void this.#verify(request, response, search);
    // Envoy puts the path of the client's request after ours: it says nothing to us
    else if (pathname.startsWith('/verify/')) void this.#verify(request, response, '');
    else if (pathname === '/health/live') answer(response, 200, { status: 'ok' });
    else if (pathname === '/health/ready') this.#answerReady(response);
    else if (pathname === '/metrics') this.#answerMetrics(response);
    else sendProblem(response, problem(404, 'There is nothing at this address.', 'not-found'));
  }

  async #verify(request: IncomingMessage, response: ServerResponse, search: string): Promise<void> {
    const startedAtMs = performance.now();
    const count = (verdict: string): void => this.#counts.add(verdict, (performance.now() - startedAtMs) / 1_000);
    try {
      const options = this.#optionsOf(search);
      const { claims, isStale } = await this.verifier.verifyAuthorization(authorizationOf(request), options);
      count(isStale ? 'accepted-stale' : 'accepted');
      response.writeHead(200, { ...identityHeaders(claims), 'content-length': '0' }).end();
    } catch (error) {
      const refusal = problemOf(error) ?? faultOf(error);
      count(refusal.body.code);
      sendProblem(response, refusal);
    }
  }

  /** @throws SettingsError when the gateway asks for what is no permission */
  #optionsOf(search: string): VerifyOptions {
    const known = this.#options.get(search);
    if (known) return known;
    const asked = new URLSearchParams(search).getAll('permissions').flatMap((names) => permissionsOf(names));
    const options = { permissions: [...this.settings.permissions, ...asked] };
    if (this.#options.size >= keptOptions) this.#options.clear();
    this.#options.set(search, options);
    return options;
  }

  /** Whether requests can be judged: with `introspect` and `allow` also while it is stale. */
  #answerReady(response: ServerResponse): void {
    const { ageMs = Number.POSITIVE_INFINITY, keys } = this.verifier.view();
    const isKnown = keys.length > 0 && ageMs < Number.POSITIVE_INFINITY;
    const isFresh = ageMs <= this.settings.staleAfterMs;
    const isReady = !this.#isDraining && isKnown && (isFresh || this.settings.policy !== 'refuse');
    answer(response, isReady ? 200 : 503, { status: isReady ? 'ok' : 'unavailable', isFresh });
  }

  #answerMetrics(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
    response.end(this.#counts.expose(this.verifier));
  }
}

/** Of two, the gateway or the service might take the other: neither is taken. */
function authorizationOf({ headersDistinct }: IncomingMessage): string | undefined {
  const [authorization, ...others] = headersDistinct['authorization'] ?? [];
  if (others.length > 0) throw new VerifyError('malformed', { detail: 'There are two headers Authorization.' });
  return authorization;
}

function splitTarget(target: string): { readonly pathname: string; readonly search: string } {
  const at = target.indexOf('?');
  return at < 0 ? { pathname: target, search: '' } : { pathname: target.slice(0, at), search: target.slice(at + 1) };
}

type Problem = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: { readonly title: string; readonly status: number; readonly code: string };
};

/** What is no refusal of a token is a fault of the gateway's configuration, or of ours. */
const faultOf = (error: unknown): Problem =>
  error instanceof SettingsError
    ? problem(500, '`permissions` must be names such as orders:read.', 'invalid-request')
    : problem(500, 'Something went wrong.', 'internal-error');

const problem = (status: number, title: string, code: string): Problem => ({
  status,
  headers: { 'content-type': 'application/problem+json' },
  body: { title, status, code },
});

const sendProblem = (response: ServerResponse, { status, headers, body }: Problem): void =>
  void response.writeHead(status, headers).end(JSON.stringify(body));

const answer = (response: ServerResponse, status: number, body: object): void =>
  void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
