import { expect } from 'vitest';

import type { Service } from './services.js';
import type { Gatehouse } from './start-gatehouse.js';

export type FeedEntry = {
  readonly kind: string;
  readonly subject: string;
  readonly below: number | null;
  readonly cause: string;
  readonly expiresAt: string;
};

export type Walk = {
  readonly epoch: string;
  readonly cursor: string;
  readonly items: readonly FeedEntry[];
  /** How many entries each page had. */
  readonly pages: readonly number[];
};

type Asked = { readonly cursor?: string; readonly limit?: number };

type Query = Readonly<Record<string, string | number>>;

export function feedPath(query: Query): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) parameters.set(name, String(value));
  return `/v1/auth/revocations?${parameters.toString()}`;
}

/** Reads the feed to the end, as a receiver does. */
export async function walkFeed({ api }: Gatehouse, { headers }: Service, asked: Asked = {}): Promise<Walk> {
  const items: FeedEntry[] = [];
  const cursors = new Set<string>();
  const pages: number[] = [];
  let query: Query = asked;
  for (;;) {
    const answer = await api.get(feedPath(query), { headers });
    expect(answer.status, answer.text).toBe(200);
    const { epoch, cursor, nextPage } = answer.body;
    items.push(...answer.body.items);
    cursors.add(cursor);
    pages.push(answer.body.items.length);
    expect(cursors.size, 'the cursor is the same on each page of a walk').toBe(1);
    if (nextPage === null) return { epoch, cursor, items, pages };
    query = { page: nextPage, ...(asked.limit !== undefined && { limit: asked.limit }) };
  }
}

/** What is told of a subject, each thing once. */
export const toldOf = ({ items }: Walk, subject: string): readonly FeedEntry[] => [
  ...new Map(items.filter((item) => item.subject === subject).map((item) => [JSON.stringify(item), item])).values(),
];
