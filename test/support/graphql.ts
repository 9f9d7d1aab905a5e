import type { Gatehouse } from './start-gatehouse.js';

export type Asked = {
  readonly token?: string | undefined;
  readonly headers?: Record<string, string>;
  readonly variables?: Record<string, unknown>;
};

export type GraphAnswer = {
  readonly status: number;
  readonly headers: Headers;
  // what tests look into, as in `Api`
  readonly data: any;
  readonly errors: any;
  /** The code of the first error. */
  readonly code: string | undefined;
};

/** Sends a query as any client does: JSON, and the media type of GraphQL over HTTP. */
export async function ask({ url }: Gatehouse, query: string, asked: Asked = {}): Promise<GraphAnswer> {
  const { token, headers, variables } = asked;
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/graphql-response+json',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...headers,
    },
    body: JSON.stringify({ query, ...(variables && { variables }) }),
  });
  const { data, errors, code }: any = await response.json();
  return {
    status: response.status,
    headers: response.headers,
    data,
    errors,
    code: errors?.[0]?.extensions.code ?? code,
  };
}
