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
    const made = run.isDry
      ? new Set<string>()
      : await this.users.insertMissing(
          rows.map(({ user }) => user),
          run,
        );
    const created = rows.filter(({ user }) => made.has(user.id)).map(({ row, user }) => createdRow(row, user.id));
    const rest = rows.filter(({ user }) => !made.has(user.id));
    if (rest.length === 0) return created;
    const holders = new Holders(await this.users.findExisting(rest.map(({ user }) => user)));
    return [...created, ...(await this.#settleRest(rest, holders, run))];
  }

  async #settleRest(rest: readonly PreparedRow[], holders: Holders, run: ImportRun): Promise<readonly RowResult[]> {
    const matches = rest.map((prepared) => ({ prepared, match: holders.match(prepared.user) }));
    const known = matches.flatMap(({ prepared, match }): KnownRow[] =>
      typeof match === 'object' && !run.isOwn(match.id) ? [{ ...prepared, holder: match }] : [],
    );
    const { results: changed, freed } = await this.#settleKnown(known, holders, run);
    const results = [...changed];
    for (const { prepared, match } of matches) {
      const { row, user } = prepared;
      const isFreed = match === 'email-taken' && freed.has(user.emailKey ?? '');
      if (typeof match === 'object') {
        if (run.isOwn(match.id)) results.push(refused(row, 'duplicate-row'));
      } else if (match !== undefined && !isFreed) results.push(refused(row, match));
      // what is free now is written by the next pass
      else if (run.isDry) results.push(run.rehearse(prepared));
    }
    return results;
  }

  async #settleKnown(
    known: readonly KnownRow[],
    holders: Holders,
    run: ImportRun,
  ): ReturnType<ProfileUpdates['apply']> {
    if (run.onExisting === 'update') return this.updates.apply(known, holders, run);
    const results = known.map(({ row, holder }): RowResult => ({ row, status: 'exists', id: holder.id }));
    return { results, freed: new Set() };
  }
}

const createdRow = (row: number, id: string): RowResult => ({ row, status: 'created', id });
