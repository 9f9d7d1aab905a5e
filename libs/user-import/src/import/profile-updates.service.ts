import { Injectable } from '@nestjs/common';

import { isUniqueViolation } from '#libs/platform/database';
import { type BulkProfile, BulkUsersRepository, type ExistingUser } from '#libs/users';

import { refused, type RowResult } from './import-result.js';
import type { ImportRun } from './import-run.js';
import type { Holders } from './match-row.js';
import type { PreparedRow } from './prepare-row.js';

/** A row whose user exists. */
export type KnownRow = PreparedRow & { readonly holder: ExistingUser };

type Change = { readonly row: number; readonly profile: BulkProfile; readonly isNews: boolean };

/** What becomes of the rows; `freed` are the addresses that none of these users has any more. */
type Outcome = { readonly results: readonly RowResult[]; readonly freed: ReadonlySet<string> };

/**
 * Brings names, addresses and external ids of users that exist up to what rows say. Roles, status and passwords stay: to
 * change those ends sessions, which is not done by the thousand.
 */
@Injectable()
export class ProfileUpdates {
  constructor(private readonly users: BulkUsersRepository) {}

  async apply(known: readonly KnownRow[], holders: Holders, run: ImportRun): Promise<Outcome> {
    const { changes, results } = firstOfEach(known);
    const { settled, taken } = settleAddresses(changes, holders);
    const [news, rest] = [settled.filter(({ isNews }) => isNews), settled.filter(({ isNews }) => !isNews)];
    results.push(...taken.map(({ row }) => refused(row, 'email-taken')));
    results.push(...rest.map(({ row, profile }): RowResult => ({ row, status: 'unchanged', id: profile.id })));
    results.push(...(run.isDry ? news.map(updated) : await this.#write(news, run)));
    return { results, freed: freedBy(settled, holders) };
  }

  /** All at once; one by one when somebody else has taken an address meanwhile. */
  async #write(changes: readonly Change[], run: ImportRun): Promise<readonly RowResult[]> {
    if (changes.length === 0) return [];
    try {
      await this.users.updateProfiles(
        changes.map(({ profile }) => profile),
        run,
      );
      return changes.map(updated);
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      if (changes.length === 1) return changes.map(({ row }) => refused(row, 'email-taken'));
    }
    const results: RowResult[] = [];
    for (const change of changes) results.push(...(await this.#write([change], run)));
    return results;
  }
}

const updated = ({ row, profile }: Change): RowResult => ({ row, status: 'updated', id: profile.id });

/** Of several rows about one user the first counts. */
function firstOfEach(known: readonly KnownRow[]): { changes: Change[]; results: RowResult[] } {
  const changes = new Map<string, Change>();
  const results: RowResult[] = [];
  for (const row of known) {
    if (changes.has(row.holder.id)) results.push(refused(row.row, 'duplicate-row'));
    else changes.set(row.holder.id, changeOf(row));
  }
  return { changes: [...changes.values()], results };
}

/**
 * An address is taken when its holder keeps it, or an earlier row has asked for it. Whoever is refused keeps the old one,
 * which others may have counted on, so it is looked at again until nothing changes.
 */
function settleAddresses(changes: readonly Change[], holders: Holders): { settled: Change[]; taken: Change[] } {
  let settled = [...changes];
  for (;;) {
    const kept = settled.filter(isAddressFree(settled, holders));
    if (kept.length === settled.length) break;
    settled = kept;
  }
  const left = new Set(settled);
  return { settled, taken: changes.filter((change) => !left.has(change)) };
}

function isAddressFree(settled: readonly Change[], holders: Holders): (change: Change) => boolean {
  const addressOf = new Map(settled.map(({ profile }) => [profile.id, profile.emailKey]));
  const asked = new Set<string>();
  return ({ profile: { id, emailKey } }) => {
    if (emailKey === null) return true;
    const holder = holders.emailHolder(emailKey);
    const isGivenUp =
      !holder || holder.id === id || (addressOf.has(holder.id) && addressOf.get(holder.id) !== emailKey);
    if (!isGivenUp || asked.has(emailKey)) return false;
    asked.add(emailKey);
    return true;
  };
}

function freedBy(settled: readonly Change[], holders: Holders): ReadonlySet<string> {
  const asked = new Set(settled.map(({ profile }) => profile.emailKey));
  const before = settled.map(({ profile }) => holders.emailKeyOf(profile.id));
  return new Set(before.filter((emailKey) => emailKey !== null && !asked.has(emailKey)).map(String));
}

/** An address that is absent stays; one that is null goes (as in a merge patch). */
function changeOf({ row, user, hasEmail, holder }: KnownRow): Change {
  const { email, emailKey } = hasEmail ? user : { email: holder.email, emailKey: holder.email_key };
  const { firstName, lastName } = user;
  const externalId = holder.external_id ?? user.externalId;
  const isSame =
    holder.first_name === firstName &&
    holder.last_name === lastName &&
    holder.email === email &&
    holder.external_id === externalId;
  return { row, profile: { id: holder.id, externalId, firstName, lastName, email, emailKey }, isNews: !isSame };
}
