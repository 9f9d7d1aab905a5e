import { Injectable } from '@nestjs/common';

import { BulkUsersRepository } from '#libs/users';

import { refused, type RowResult } from './import-result.js';
import type { ImportRun } from './import-run.js';
import { Holders } from './match-row.js';
import type { PreparedRow } from './prepare-row.js';
import { type KnownRow, ProfileUpdates } from './profile-updates.service.js';

/** Each pass settles all rows unless users that stood in their way were erased meanwhile. */
const maxPasses = 3;

/** Writes a batch of rows: those whose user is new in one statement, so that the batch is there whole or not at all. */
@Injectable()
export class BatchWriter {
  constructor(
    private readonly users: BulkUsersRepository,
    private readonly updates: ProfileUpdates,
  ) {}

  /** A result for each row, in their order. */
  async write(rows: readonly PreparedRow[], run: ImportRun): Promise<readonly RowResult[]> {
    const results = new Map<number, RowResult>();
    for (let pass = 1; pass <= maxPasses && results.size < rows.length; pass++) {
      const open = rows.filter(({ row }) => !results.has(row));
      for (const result of await this.#settle(open, run)) results.set(result.row, result);
    }
    return rows.map(({ row }) => results.get(row) ?? refused(row, 'unavailable'));
  }

  async #settle(rows: readonly PreparedRow[], run: ImportRun): Promise<readonly RowResult[]> {
    const made = run.isDry ? new Set<string>() : await this.users.insertMissing(rows.map(({ user }) => user));
    const created = rows.filter(({ user }) => made.has(user.id)).map(({ row, user }) => createdRow(row, user.id));
    const rest = rows.filter(({ user }) => !made.has(user.id));
    if (rest.length === 0) return created;
    const holders = new Holders(await this.users.findHolders(rest.map(({ user }) => user)));
    return [...created, ...(await this.#settleRest(rest, holders, run))];
  }

  async #settleRest(rest: readonly PreparedRow[], holders: Holders, run: ImportRun): Promise<readonly RowResult[]> {
    const results: RowResult[] = [];
    const known: KnownRow[] = [];
    for (const prepared of rest) {
      const match = holders.match(prepared.user);
      if (typeof match === 'string') results.push(refused(prepared.row, match));
      else if (match && run.isOwn(match.id)) results.push(refused(prepared.row, 'duplicate-row'));
      else if (match) known.push({ ...prepared, holder: match });
      else if (run.isDry) results.push(run.rehearse(prepared));
    }
    if (run.onExisting === 'update') return [...results, ...(await this.updates.apply(known, holders, run))];
    return [...results, ...known.map(({ row, holder }): RowResult => ({ row, status: 'exists', id: holder.id }))];
  }
}

const createdRow = (row: number, id: string): RowResult => ({ row, status: 'created', id });
