import { Injectable } from '@nestjs/common';

import { AuditTrail } from '#libs/security/audit';
import { noPassword } from '#libs/security/passwords';
import { toRfc3339 } from '#libs/platform/contract';
import { BulkUsersRepository, type ExportRow, type JsonObject } from '#libs/users';

import { cellOfValue } from '../import/member-cell.js';

export type ExportOptions = {
  readonly format: 'ndjson' | 'csv';
  readonly hashes: 'with-hashes' | 'without-hashes';
  readonly cells: CellStyle;
};

/**
 * `exact` writes a cell as it is. `spreadsheet` puts a quote before each cell that a spreadsheet
 * would run as a formula (OWASP, "CSV Injection").
 */
type CellStyle = 'exact' | 'spreadsheet';

/** Some lines of an export. */
export type ExportChunk = { readonly text: string; readonly users: number };

type Exported = Readonly<Record<string, string | boolean | readonly string[] | JsonObject | undefined>>;

/** The members of objects that get columns of their own; the rest is one more column. */
type Members = Readonly<Record<(typeof objects)[number], readonly string[]>>;
const objects = ['profile', 'metadata'] as const;
const noMembers: Members = { profile: [], metadata: [] };
/** With them a file has fewer columns than an import takes. */
const memberLimit = 20;

const pageRows = 2_000;
const columns = [
  'id',
  'subject',
  'externalId',
  'userName',
  'firstName',
  'lastName',
  'email',
  'emailVerified',
  'roles',
  'status',
  'createdAt',
];
/** Without it Excel reads UTF-8 in the code page of the country. */
const byteOrderMark = '\uFEFF';

/** Writes users as rows that an import takes, in the order of their names. */
@Injectable()
export class BulkExportService {
  constructor(
    private readonly users: BulkUsersRepository,
    private readonly audit: AuditTrail,
  ) {}

  /**
   * Reads page by page while the service runs: a user who exists all the time is exported exactly
   * once. Two exports of the same users are the same bytes. Audited.
   */
  async *run(options: ExportOptions): AsyncGenerator<ExportChunk> {
    const { format, hashes, cells } = options;
    const members = format === 'csv' ? await this.#members() : noMembers;
    let total = 0;
    if (format === 'csv') {
      const mark = cells === 'spreadsheet' ? byteOrderMark : '';
      yield { text: mark + toCsvRecord(headerOf(options, members), 'exact'), users: 0 };
    }
    for (let after = ''; ;) {
      const rows = await this.users.findPage(after, pageRows);
      total += rows.length;
      const text = rows.map((row) => toLine(exported(row, options), options, members)).join('');
      if (text !== '') yield { text, users: rows.length };
      const last = rows.at(-1);
      if (!last || rows.length < pageRows) break;
      after = last.user_name_key;
    }
    await this.audit.record({ event: 'users-exported', details: { users: total, format, hashes } }, 'operator');
  }

  async #members(): Promise<Members> {
    const [profile, metadata] = await Promise.all(
      objects.map((field) => this.users.findMemberNames(field, memberLimit)),
    );
    return { profile: profile ?? [], metadata: metadata ?? [] };
  }
}

const headerOf = (options: ExportOptions, members: Members): readonly string[] => [
  ...columnsOf(options),
  ...objects.flatMap((field) => [...members[field].map((name) => `${field}.${name}`), field]),
];

const columnsOf = ({ hashes }: ExportOptions): readonly string[] =>
  hashes === 'with-hashes' ? [...columns, 'passwordHash'] : columns;

function exported(row: ExportRow, { hashes }: ExportOptions): Exported {
  return {
    id: row.id,
    subject: row.subject ?? undefined,
    externalId: row.external_id ?? undefined,
    userName: row.user_name,
    firstName: row.first_name,
    lastName: row.last_name,
    email: row.email ?? undefined,
    emailVerified: row.email_verified,
    roles: row.roles.toSorted(),
    status: row.status,
    createdAt: toRfc3339(row.created_ms),
    passwordHash: hashes === 'with-hashes' && row.password_hash !== noPassword ? row.password_hash : undefined,
    profile: row.profile ?? undefined,
    metadata: row.metadata ?? undefined,
  };
}

function toLine(user: Exported, options: ExportOptions, members: Members): string {
  if (options.format === 'ndjson') return `${JSON.stringify(user)}\n`;
  const cells = columnsOf(options).map((column) => textOf(user[column]));
  const more = objects.flatMap((field) => cellsOf(new Map(Object.entries(user[field] ?? {})), members[field]));
  return toCsvRecord([...cells, ...more], options.cells);
}

function textOf(value: Exported[string]): string {
  if (typeof value === 'string' || typeof value === 'boolean') return String(value);
  return Array.isArray(value) ? value.join(' ') : '';
}

/** A cell for each member that has a column, and one for the rest. */
function cellsOf(object: Map<string, unknown>, names: readonly string[]): readonly string[] {
  const cells = names.map((name) => (object.has(name) ? cellOfValue(object.get(name)) : ''));
  for (const name of names) object.delete(name);
  return [...cells, object.size === 0 ? '' : JSON.stringify(Object.fromEntries(object))];
}

/** One record of CSV (RFC 4180), with its line break. */
export function toCsvRecord(cells: readonly string[], style: CellStyle): string {
  return `${cells.map((cell) => quote(style === 'exact' ? cell : defuse(cell))).join(',')}\r\n`;
}

const quote = (cell: string): string => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
const defuse = (cell: string): string => (/^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell);
