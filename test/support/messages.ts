import { expect } from 'vitest';

import type { Gatehouse } from './start-gatehouse.js';

export type Sent = { readonly id: string; readonly url: string; readonly token: string; readonly path: string };

/** A message from somebody; only what matters to a test need be given. */
export async function newMessage(
  { api }: Gatehouse,
  { token, headers, ...fields }: { token?: string; headers?: Record<string, string> } & Record<string, unknown>,
): Promise<Sent> {
  const body = { body: 'meet me at the lighthouse', ...fields };
  const created = await api.post('/v1/messages', { token, body, ...(headers && { headers }) });
  expect(created.status, created.text).toBe(201);
  const { id, url } = created.body;
  const secret = String(url).split('#')[1] ?? '';
  return { id, url, token: secret, path: `/v1/messages/${secret}` };
}
