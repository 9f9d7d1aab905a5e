import { Injectable } from '@nestjs/common';

import { AuditTrail } from '#libs/security/audit';
import { noPassword } from '#libs/security/passwords';
import { toRfc3339 } from '#libs/platform/contract';
import { BulkUsersRepository, type ExportRow } from '#libs/users';

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

type Exported = Readonly<Record<string, string | readonly string[] | undefined>>;

const pageRows = 2_000;
const columns = ['externalId', 'userName', 'firstName', 'lastName', 'email', 'roles', 'status', 'createdAt'];
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
    let total = 0;
    if (format === 'csv') {
      const mark = cells === 'spreadsheet' ? byteOrderMark : '';
      yield { text: mark + toCsvRecord(columnsOf(options), 'exact'), users: 0 };
    }
    for (let after = ''; ;) {
      const rows = await this.users.findPage(after, pageRows);
      total += rows.length;
      const text = rows.map((row) => toLine(exported(row, options), options)).join('');
      if (text !== '') yield { text, users: rows.length };
      const last = rows.at(-1);
      if (!last || rows.length < pageRows) break;
      after = last.user_name_key;
    }
    await this.audit.record({ event: 'users-exported', details: { users: total, format, hashes } }, 'operator');
  }
}

const columnsOf = ({ hashes }: ExportOptions): readonly string[] =>
  hashes === 'with-hashes' ? [...columns, 'passwordHash'] : columns;

function exported(row: ExportRow, { hashes }: ExportOptions): Exported {
  return {
    externalId: row.external_id ?? undefined,
    userName: row.user_name,
    firstName: row.first_name,
    lastName: row.last_name,
    email: row.email ?? undefined,
    roles: row.roles.toSorted(),
    status: row.status,
    createdAt: toRfc3339(row.created_ms),
    passwordHash: hashes === 'with-hashes' && row.password_hash !== noPassword ? row.password_hash : undefined,
  };
}

function toLine(user: Exported, options: ExportOptions): string {
  if (options.format === 'ndjson') return `${JSON.stringify(user)}\n`;
  const cells = columnsOf(options).map((column) => [user[column] ?? ''].flat().join(' '));
  return toCsvRecord(cells, options.cells);
}

/** One record of CSV (RFC 4180), with its line break. */
export function toCsvRecord(cells: readonly string[], style: CellStyle): string {
  return `${cells.map((cell) => quote(style === 'exact' ? cell : defuse(cell))).join(',')}\r\n`;
}

const quote = (cell: string): string => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
const defuse = (cell: string): string => (/^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell);
