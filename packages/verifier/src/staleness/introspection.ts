import { isObject, type RequestBounds, requestJson } from '../bounded-request.js';
import type { Settings } from '../options.js';

const limitBytes = 65_536;
/** Requests at once; more would pile up while the issuer is slow. */
const limitRequests = 64;
/** After the right to ask was denied, how long not to ask again. */
const deniedForMs = 60_000;

/** `unknown`: the issuer did not say. */
export type IntrospectionAnswer = 'active' | 'inactive' | 'unknown';

/**
 * Asks Gatehouse whether a token is good now (RFC 7662). Calls for one token at the same time share
 * a request; no answer is kept.
 */
export class Introspection {
  readonly #pending = new Map<string, Promise<IntrospectionAnswer>>();
  readonly #closed = new AbortController();
  readonly #bounds: RequestBounds;
  #deniedUntilMs = Number.NEGATIVE_INFINITY;

  /** @param onDenied is called when the service may not introspect, with the reason */
  constructor(
    private readonly settings: Settings,
    private readonly onDenied: (reason: string) => void,
  ) {
    const { fetch, requestTimeoutMs: timeoutMs } = settings;
    this.#bounds = { fetch, timeoutMs, limitBytes, signal: this.#closed.signal };
  }

  /** Whether asking makes sense: there is a key, and the right was not denied just now. */
  get isPossible(): boolean {
    return this.settings.serviceKey !== undefined && performance.now() >= this.#deniedUntilMs;
  }

  /** @param name of the token, as the cache has it. Never rejects. */
  ask(token: string, name: string): Promise<IntrospectionAnswer> {
    const pending = this.#pending.get(name);
    if (pending) return pending;
    if (!this.isPossible || this.#pending.size >= limitRequests) return Promise.resolve('unknown');
    const asked = this.#request(token)
      .catch((): IntrospectionAnswer => 'unknown')
      .finally(() => this.#pending.delete(name));
    this.#pending.set(name, asked);
    return asked;
  }

  close(): void {
    this.#closed.abort();
  }

  async #request(token: string): Promise<IntrospectionAnswer> {
    const { url, serviceKey = '' } = this.settings;
    const { status, body } = await requestJson(
      `${url}/v1/auth/introspect`,
      {
        method: 'POST',
        headers: { 'x-service-key': serviceKey, accept: 'application/json' },
        body: new URLSearchParams({ token }),
      },
      this.#bounds,
    );
    if (status === 401 || status === 403) this.#deny(status);
    if (status !== 200 || !isObject(body) || typeof body['active'] !== 'boolean') return 'unknown';
    return body['active'] ? 'active' : 'inactive';
  }

  #deny(status: 401 | 403): void {
    this.#deniedUntilMs = performance.now() + deniedForMs;
    this.onDenied(
      status === 401 ? 'The service key is wrong.' : 'The service lacks the scope tokens:introspect at Gatehouse.',
    );
  }
}
