import { readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

import { KnownRevocations } from '../feed/known-revocations.js';
import {
  type FactClaims,
  isRevoked,
  type Revocation,
  revocationKinds,
  RevocationTable,
  subjectIdOf,
  tokenFact,
  tokenFacts,
} from './index.js';

type Fact = {
  readonly name: string;
  readonly entry: Pick<Revocation, 'kind' | 'subject' | 'below'>;
  readonly header: { readonly kid: string };
  readonly claims: FactClaims;
  readonly isEnded: boolean;
};
type Merge = {
  readonly name: string;
  readonly entries: readonly Revocation[];
  readonly kept: readonly Omit<Revocation, 'cause'>[];
};

const vectors: { readonly facts: readonly Fact[]; readonly merges: readonly Merge[] } = JSON.parse(
  readFileSync(new URL('../../../../docs/feed-vectors.json', import.meta.url), 'utf8'),
);
const seconds = (instant: string): number => Date.parse(instant) / 1_000;

test.each(vectors.facts)('facts: $name', ({ entry, header, claims, isEnded }) => {
  const known = new KnownRevocations();
  expect(known.add({ ...entry, cause: 'logout', expiresAt: '2100-01-01T00:00:00.000Z' })).toBe(true);
  expect(known.isRevoked(tokenFacts(claims, header.kid), Date.now() / 1_000)).toBe(isEnded);
});

test('the vectors have each kind, ended and not', () => {
  for (const isEnded of [true, false]) {
    const kinds = vectors.facts.filter((fact) => fact.isEnded === isEnded).map(({ entry }) => entry.kind);
    expect(new Set(kinds)).toEqual(new Set(revocationKinds));
  }
});

test.each(vectors.merges)('merges: $name, in either order', ({ entries, kept }) => {
  for (const order of [entries, entries.toReversed()]) {
    const known = new KnownRevocations();
    for (const entry of order) known.add(entry);
    expect(known.entries).toBe(kept.length);
    for (const { kind, subject, below, expiresAt } of kept) {
      const judged = (generation: number, now: number): boolean =>
        known.isRevoked([tokenFact(kind, subject, generation)], now);
      const lastEnded = below === null ? 2 ** 31 - 2 : below - 1;
      expect(judged(lastEnded, seconds(expiresAt) - 1)).toBe(true);
      expect(judged(lastEnded + 1, seconds(expiresAt) - 1)).toBe(false);
      expect(judged(lastEnded, seconds(expiresAt))).toBe(false);
    }
  }
});

test('subjects are compared byte by byte: none of the vectors is found by another', () => {
  const subjects = [...new Set(vectors.facts.map(({ entry }) => entry.subject))];
  for (const subject of subjects) {
    const table = new RevocationTable();
    table.add('user', subjectIdOf('user', subject), { expiresAt: 2_000_000_000 }, 1_900_000_000);
    const found = subjects.filter((other) => isRevoked(table, [tokenFact('user', other)], 1_900_000_000));
    expect(found).toEqual([subject]);
  }
});
