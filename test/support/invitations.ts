import { expect } from 'vitest';

import type { Answer } from './api.js';
import { uniqueName } from './people.js';
import type { Gatehouse } from './start-gatehouse.js';

export type Invited = {
  readonly id: string;
  readonly email: string;
  readonly url: string;
  /** What stands behind the `#` of the link. */
  readonly token: string;
};

export const newAddress = (): string => `${uniqueName('guest')}@example.org`;

export const invite = (
  { api }: Gatehouse,
  token: string | undefined,
  fields: Record<string, unknown> = {},
  headers: Record<string, string> = {},
): Promise<Answer> => api.post('/v1/invitations', { token, body: { email: newAddress(), ...fields }, headers });

/** An invitation of somebody new; only what matters to a test need be given. */
export async function newInvitation(
  gatehouse: Gatehouse,
  token: string,
  fields: Record<string, unknown> = {},
): Promise<Invited> {
  const { status, text, body } = await invite(gatehouse, token, { firstName: 'Grace', lastName: 'Hopper', ...fields });
  expect(status, text).toBe(201);
  return { id: body.id, email: body.email, url: body.url, token: tokenOf(body.url) };
}

export const tokenOf = (url: string): string => url.slice(url.indexOf('#') + 1);

export const accept = ({ api }: Gatehouse, token: string, fields: Record<string, unknown> = {}): Promise<Answer> =>
  api.post('/v1/auth/invitations/accept', {
    body: { token, userName: uniqueName('guest'), password: 'seven green bottles', ...fields },
  });
