import { expect } from 'vitest';

import { type Contract, loadContract } from './contract.js';

export type Answer = {
  readonly status: number;
  readonly headers: Headers;
  // bodies are what tests look into: their shape is checked against
  // the contract, not by the compiler
  readonly body: any;
  readonly text: string;
};

export type Call = {
  readonly token?: string | undefined;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
};

export type Api = {
  call(method: string, path: string, call?: Call): Promise<Answer>;
  get(path: string, call?: Call): Promise<Answer>;
  post(path: string, call?: Call): Promise<Answer>;
  put(path: string, call?: Call): Promise<Answer>;
  patch(path: string, call?: Call): Promise<Answer>;
  delete(path: string, call?: Call): Promise<Answer>;
};

let contract: Promise<Contract> | undefined;

/**
 * A client that holds every answer against the OpenAPI document: its
 * status, its media type and its body.
 */
export async function createApi(url: string): Promise<Api> {
  contract ??= loadContract(url);
  const { check } = await contract;
  const call = async (method: string, path: string, { token, body, headers }: Call = {}): Promise<Answer> => {
    const isForm = body instanceof URLSearchParams || body instanceof FormData;
    const isRaw = typeof body === 'string' || body instanceof Uint8Array || isForm;
    const response = await fetch(url + path, {
      method,
      redirect: 'manual',
      headers: {
        ...(body !== undefined && !isForm && { 'content-type': 'application/json' }),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...headers,
      },
      ...(body !== undefined && { body: isRaw ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = /[/+]json/.test(response.headers.get('content-type') ?? '');
    const answer = { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text, text };
    expect(check(method, path, answer), `${method} ${path} answered what its contract does not declare`).toEqual([]);
    return answer;
  };
  return {
    call,
    get: (path, options) => call('GET', path, options),
    post: (path, options) => call('POST', path, options),
    put: (path, options) => call('PUT', path, options),
    patch: (path, options) => call('PATCH', path, options),
    delete: (path, options) => call('DELETE', path, options),
  };
}
