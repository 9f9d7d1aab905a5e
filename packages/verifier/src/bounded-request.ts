export type RequestBounds = {
  readonly fetch: typeof fetch;
  readonly timeoutMs: number;
  readonly limitBytes: number;
  /** Ends the request early. */
  readonly signal: AbortSignal;
};

export type JsonAnswer = {
  readonly status: number;
  readonly headers: Headers;
  /** Nothing when the body is not JSON. */
  readonly body: unknown;
};

/**
 * Asks for JSON. Redirects are not followed: a request may carry a secret.
 * @throws Error when there is no answer in time, or one that is longer than allowed
 */
export async function requestJson(url: string, init: RequestInit, bounds: RequestBounds): Promise<JsonAnswer> {
  const { fetch: ask, timeoutMs, limitBytes, signal } = bounds;
  // `AbortSignal.any` would keep memory for a signal that lives long in Node 20
  const inTime = new AbortController();
  const end = (): void => inTime.abort(signal.reason);
  const timer = setTimeout(() => inTime.abort(new Error(`${url} did not answer in ${timeoutMs} ms.`)), timeoutMs);
  signal.addEventListener('abort', end);
  try {
    signal.throwIfAborted();
    const answer = await ask(url, { redirect: 'error', ...init, signal: inTime.signal });
    const text = await readText(answer, limitBytes);
    return { status: answer.status, headers: answer.headers, body: parseJson(text) };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
  }
}

async function readText(answer: Response, limitBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // leaving the loop early cancels the body
  for await (const chunk of answer.body ?? []) {
    bytes += chunk.length;
    if (bytes > limitBytes) throw new Error(`The answer of ${answer.url} is longer than ${limitBytes} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
