import { Injectable } from '@nestjs/common';

import { violatedConstraint } from '#libs/platform/database';
import { type BulkProfile, BulkUsersRepository, type ExistingUser, idInSubject, RolesChangedError } from '#libs/users';

import { type ImportRun, refused, type RowResult } from './import-run.js';
import type { PreparedRow } from './prepare-row.js';
import { type Collision, ExistingUsers, keysOf, type Match } from './resume.js';

/** A row whose user exists. */
type KnownRow = PreparedRow & { readonly existing: ExistingUser };
type Change = { readonly row: number; readonly profile: BulkProfile; readonly isChanged: boolean };
/** `freed` are the addresses that none of these users has any more. */
type Outcome = { readonly results: readonly RowResult[]; readonly freed: ReadonlySet<string> };

/** Each pass settles all rows, unless users that stood in their way were erased meanwhile. */
const maxPasses = 3;

/**
 * Writes a batch of rows. New users are one statement: all are written or none. For users that
 * exist, names, addresses and external ids may be updated. Roles, status and passwords stay: to
 * change those ends sessions, which must not happen by the thousand.
 */
@Injectable()
export class BatchWriter {
  constructor(private readonly users: BulkUsersRepository) {}

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
    const faults = await this.users.findRoleFaults(rows.map(({ user }) => user));
    const [results, open]: [RowResult[], PreparedRow[]] = [[], []];
    for (const prepared of rows) {
      const fault = faults.get(prepared.user.id);
      if (fault) results.push(refused(prepared.row, fault.code, fault.options.errors));
      else open.push(prepared);
    }
    const created = run.isDry ? new Set<PreparedRow>() : await this.#insert(withoutRivals(open), run);
    for (const { row, user } of created) results.push({ row, status: 'created', id: user.id });
    const rest = open.filter((prepared) => !created.has(prepared));
    if (rest.length === 0) return results;
    const existing = new ExistingUsers(await this.users.findExisting(keysOf(rest)));
    return [...results, ...(await this.#settleRest(rest, existing, run))];
  }

  /** @returns the rows that are written; none when a role was changed, which the next pass sees */
  async #insert(rows: readonly PreparedRow[], run: ImportRun): Promise<ReadonlySet<PreparedRow>> {
    try {
      const users = rows.map(({ user }) => user);
      const { ids, mark } = await this.users.insertMissing(users, run);
      if (mark !== undefined) run.addMark(mark);
      return new Set(rows.filter(({ user }) => ids.has(user.id)));
    } catch (error) {
      if (!(error instanceof RolesChangedError)) throw error;
      return new Set();
    }
  }

  async #settleRest(
    rest: readonly PreparedRow[],
    existing: ExistingUsers,
    run: ImportRun,
  ): Promise<readonly RowResult[]> {
    const matches = rest.map((prepared) => ({ prepared, match: existing.match(prepared) }));
    const known = matches.flatMap(({ prepared, match }): KnownRow[] =>
      isMatch(match) && !run.isOwn(match.user) ? [{ ...prepared, existing: match.user }] : [],
    );
    const { results: settled, freed } = await this.#settleKnown(known, existing, run);
    const results = [...settled];
    for (const { prepared, match } of matches) {
      const { row, user } = prepared;
      if (isMatch(match)) {
        if (run.isOwn(match.user)) results.push(repeated(prepared, match));
        continue;
      }
      const isFreed = match?.code === 'email-taken' && freed.has(user.emailKey ?? '');
      if (match && !isFreed) results.push(refused(row, match.code, match.errors));
      // Nothing stands in the way of this row any more: the next pass writes it.
      else if (run.isDry) results.push(run.rehearse(prepared));
    }
    return results;
  }

  async #settleKnown(known: readonly KnownRow[], existing: ExistingUsers, run: ImportRun): Promise<Outcome> {
    if (run.onExisting === 'skip') {
      const results = known.map((row): RowResult => ({ row: row.row, status: 'exists', id: row.existing.id }));
      return { results, freed: new Set() };
    }
    const { changes, results } = firstOfEach(known);
    const { settled, taken } = settleAddresses(changes, existing);
    const changed = settled.filter(({ isChanged }) => isChanged);
    results.push(...taken.map(({ row }) => refused(row, 'email-taken')));
    for (const { row, profile, isChanged } of settled) {
      if (!isChanged) results.push({ row, status: 'unchanged', id: profile.id });
    }
    results.push(...(run.isDry ? changed.map(updated) : await this.#writeProfiles(changed, run)));
    return { results, freed: freedBy(settled, existing) };
  }

  /** Writes all at once, or one by one when somebody else has taken what one asks for meanwhile. */
  async #writeProfiles(changes: readonly Change[], run: ImportRun): Promise<readonly RowResult[]> {
    if (changes.length === 0) return [];
    const profiles = changes.map(({ profile }) => profile);
    try {
      await this.users.updateProfiles(profiles, run);
      return changes.map(updated);
    } catch (error) {
      const code = takenBy[violatedConstraint(error) ?? ''];
      if (!code) throw error;
      if (changes.length === 1) return changes.map(({ row }) => refused(row, code));
    }
    const results: RowResult[] = [];
    for (const change of changes) results.push(...(await this.#writeProfiles([change], run)));
    return results;
  }
}

/** What an update may ask for and somebody else has, by the constraint that says so. */
const takenBy: Readonly<Record<string, 'email-taken' | 'external-id-taken'>> = {
  users_email_key_unique: 'email-taken',
  users_external_id_unique: 'external-id-taken',
};

const isMatch = (match: Match | Collision | undefined): match is Match => match !== undefined && 'user' in match;

/** A second row about a user of this import; under another name it is a second user. */
function repeated({ row, user }: PreparedRow, { user: existing, by }: Match): RowResult {
  const isOther = user.userNameKey !== existing.user_name_key;
  if (isOther && by === 'id') return refused(row, 'id-taken');
  return refused(row, isOther && by === 'subject' ? 'subject-taken' : 'duplicate-row');
}

/**
 * Of rows that give one id, or have another's id for a subject, the first: whether it can be
 * written decides about the others.
 */
function withoutRivals(rows: readonly PreparedRow[]): readonly PreparedRow[] {
  const seen = new Set<string>();
  return rows.filter(({ user: { id, subject } }) => {
    const ids = [id, idInSubject(subject) ?? id];
    const isFirst = !ids.some((known) => seen.has(known));
    for (const known of ids) seen.add(known);
    return isFirst;
  });
}

const updated = ({ row, profile }: Change): RowResult => ({ row, status: 'updated', id: profile.id });

/** Of several rows about one user, or with one external id for two, the first counts. */
function firstOfEach(known: readonly KnownRow[]): { changes: Change[]; results: RowResult[] } {
  const changes = new Map<string, Change>();
  const results: RowResult[] = [];
  const externalIds = new Set<string>();
  for (const row of known) {
    const change = changeOf(row);
    const { id, externalId } = change.profile;
    if (changes.has(id)) results.push(refused(row.row, 'duplicate-row'));
    else if (externalId !== null && externalIds.has(externalId)) results.push(refused(row.row, 'external-id-taken'));
    else {
      changes.set(id, change);
      if (externalId !== null) externalIds.add(externalId);
    }
  }
  return { changes: [...changes.values()], results };
}

/**
 * An address is taken when its user keeps it, or an earlier row asks for it. A user whose row is
 * refused keeps the old address, so this repeats until no row is refused any more.
 */
function settleAddresses(changes: readonly Change[], existing: ExistingUsers): { settled: Change[]; taken: Change[] } {
  let settled = [...changes];
  for (;;) {
    const kept = settled.filter(isAddressFree(settled, existing));
    if (kept.length === settled.length) break;
    settled = kept;
  }
  const left = new Set(settled);
  return { settled, taken: changes.filter((change) => !left.has(change)) };
}

function isAddressFree(settled: readonly Change[], existing: ExistingUsers): (change: Change) => boolean {
  const addressOf = new Map(settled.map(({ profile }) => [profile.id, profile.emailKey]));
  const requested = new Set<string>();
  return ({ profile: { id, emailKey } }) => {
    if (emailKey === null) return true;
    const user = existing.withEmail(emailKey);
    const isGivenUp = !user || user.id === id || (addressOf.has(user.id) && addressOf.get(user.id) !== emailKey);
    if (!isGivenUp || requested.has(emailKey)) return false;
    requested.add(emailKey);
    return true;
  };
}

function freedBy(settled: readonly Change[], existing: ExistingUsers): ReadonlySet<string> {
  const kept = new Set(settled.map(({ profile }) => profile.emailKey));
  const before = settled.map(({ profile }) => existing.emailKeyOf(profile.id));
  return new Set(before.filter((emailKey) => emailKey !== null && !kept.has(emailKey)).map(String));
}

/** An address that is absent stays; one that is null is removed (RFC 7396). */
function changeOf({ row, user, hasEmail, existing }: KnownRow): Change {
  const { email, emailKey } = hasEmail ? user : { email: existing.email, emailKey: existing.email_key };
  const { firstName, lastName, emailVerified } = user;
  const externalId = existing.external_id ?? user.externalId;
  const isSame =
    existing.first_name === firstName &&
    existing.last_name === lastName &&
    existing.email === email &&
    existing.email_verified === (email !== null && (emailVerified ?? existing.email_verified)) &&
    existing.external_id === externalId;
  const profile = { id: existing.id, externalId, firstName, lastName, email, emailKey, emailVerified };
  return { row, profile, isChanged: !isSame };
}
