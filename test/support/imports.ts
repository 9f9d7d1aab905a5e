import type { Answer, Call } from './api.js';
import { uniqueName } from './people.js';
import type { Gatehouse } from './start-gatehouse.js';

export type Imported = {
  readonly answer: Answer;
  /** The lines before the last one. */
  readonly results: readonly any[];
  readonly summary: any;
};

type Sending = Call & { readonly query?: string; readonly type?: string };

/** A row that is taken; only what matters to a test need be given. */
export const importRow = (fields: Record<string, unknown> = {}): Record<string, unknown> => ({
  userName: uniqueName(),
  firstName: 'Grace',
  lastName: 'Hopper',
  ...fields,
});

export const toNdjson = (rows: readonly unknown[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

/** Sends rows, or a body as it stands, and takes the answer apart. */
export async function importUsers(
  { api }: Gatehouse,
  rows: readonly unknown[] | string | Uint8Array,
  { query = '', type = 'application/x-ndjson', headers, ...call }: Sending,
): Promise<Imported> {
  const body = typeof rows === 'string' || rows instanceof Uint8Array ? rows : toNdjson(rows);
  const path = `/v1/users/import${query}`;
  const answer = await api.post(path, { ...call, body, headers: { 'content-type': type, ...headers } });
  if (answer.status !== 200) return { answer, results: [], summary: undefined };
  const lines = answer.text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  return { answer, results: lines.slice(0, -1), summary: lines.at(-1) };
}
