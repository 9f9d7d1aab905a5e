import type { Server } from './replica.ts';

export type Call = {
  readonly method?: string;
  readonly token?: string;
  readonly key?: string;
  /** Sent as JSON; a string goes as NDJSON, a form as it is. */
  readonly body?: unknown;
  /** What must be answered; 200 if absent. */
  readonly expect?: number;
};

/** An answer that should have been another one. */
export class WrongAnswerError extends Error {
  override readonly name = 'WrongAnswerError';

  readonly status: number;

  constructor(status: number, what: string) {
    super(`${what}: ${status}`);
    this.status = status;
  }
}

/**
 * Sends a request and reads its JSON, if there is any.
 * @throws WrongAnswerError for another status than the one that is expected
 */
export async function call(server: Server, path: string, request: Call = {}): Promise<any> {
  const { method = 'GET', token, key, body, expect = 200 } = request;
  const { type, content } = encode(body);
  const answer = await fetch(server.url + path, {
    method,
    headers: {
      ...(type && { 'content-type': type }),
      ...(token && { authorization: `Bearer ${token}` }),
      ...(key && { 'x-service-key': key }),
    },
    ...(content !== undefined && { body: content }),
  });
  const text = await answer.text();
  if (answer.status !== expect) {
    throw new WrongAnswerError(answer.status, `${method} ${path} at ${server.url}: ${text.slice(0, 200)}`);
  }
  return text.startsWith('{') && !text.includes('}\n{') ? JSON.parse(text) : text;
}

type Encoded = { readonly type?: string; readonly content?: string | FormData | URLSearchParams };

function encode(body: unknown): Encoded {
  if (body === undefined) return {};
  if (body instanceof FormData || body instanceof URLSearchParams) return { content: body };
  if (typeof body === 'string') return { type: 'application/x-ndjson', content: body };
  return { type: 'application/json', content: JSON.stringify(body) };
}

/**
 * Sends a GraphQL operation.
 * @throws WrongAnswerError when a field failed
 */
export async function graph(server: Server, query: string, token?: string): Promise<any> {
  const answer = await call(server, '/graphql', { method: 'POST', body: { query }, ...(token && { token }) });
  if (answer.errors) throw new WrongAnswerError(200, `GraphQL at ${server.url}: ${JSON.stringify(answer.errors)}`);
  return answer.data;
}
