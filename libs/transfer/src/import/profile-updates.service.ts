import { Injectable } from '@nestjs/common';

import { isUniqueViolation } from '#libs/platform/database';
import { type BulkProfile, BulkUsersRepository, type Holder } from '#libs/users';

import { refused, type RowResult } from './import-result.js';
import type { ImportRun } from './import-run.js';
import type { Holders } from './match-row.js';
import type { PreparedRow } from './prepare-row.js';

/** A row whose user exists. */
export type KnownRow = PreparedRow & { readonly holder: Holder };

type Change = { readonly row: number; readonly profile: BulkProfile; readonly isNews: boolean };

/**
 * Brings names, addresses and external ids of users that exist up to what rows say. Roles, status and passwords stay: to
 * change those ends sessions, which is not done by the thousand.
 */
@Injectable()
export class ProfileUpdates {
  constructor(private readonly users: BulkUsersRepository) {}

  async apply(known: readonly KnownRow[], holders: Holders, { isDry }: ImportRun): Promise<readonly RowResult[]> {
    const seen = new Set<string>();
    const refusals: RowResult[] = [];
    const changes: Change[] = [];
    for (const row of known) {
      const change = changeOf(row);
      const emailHolder = holders.emailHolder(change.profile.emailKey);
      if (seen.has(row.holder.id)) refusals.push(refused(row.row, 'duplicate-row'));
      else if (emailHolder && emailHolder.id !== row.holder.id) refusals.push(refused(row.row, 'email-taken'));
      else changes.push(change);
      seen.add(row.holder.id);
    }
    const [news, rest] = [changes.filter(({ isNews }) => isNews), changes.filter(({ isNews }) => !isNews)];
    const unchanged = rest.map(({ row, profile }): RowResult => ({ row, status: 'unchanged', id: profile.id }));
    return [...refusals, ...unchanged, ...(isDry ? news.map(updated) : await this.#write(news))];
  }

  /** All at once; one by one when an address among them is taken. */
  async #write(changes: readonly Change[]): Promise<readonly RowResult[]> {
    if (changes.length === 0) return [];
    try {
      await this.users.updateProfiles(changes.map(({ profile }) => profile));
      return changes.map(updated);
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      if (changes.length === 1) return changes.map(({ row }) => refused(row, 'email-taken'));
    }
    const results: RowResult[] = [];
    for (const change of changes) results.push(...(await this.#write([change])));
    return results;
  }
}

const updated = ({ row, profile }: Change): RowResult => ({ row, status: 'updated', id: profile.id });

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
