import { isUtf8 } from 'node:buffer';
import { pipeline, Readable } from 'node:stream';

import { CsvError, parse } from 'csv-parse';

import { AppError } from '#libs/platform/errors';

import { sniffDialect } from './csv-dialect.js';
import { importFields } from './row.schema.js';
import { type Bytes, maxRowBytes, type SourceRow } from './source-row.js';

/** What a column of the file is in a row: `{ Login: 'userName' }`; an empty name leaves the column out. */
export type ColumnMap = Readonly<Record<string, string>>;
export type CsvOptions = {
  readonly columns?: ColumnMap;
  /** By the first line if absent. */
  readonly delimiter?: string | undefined;
};

const maxColumns = 64;
const rowsAtATime = 256;
/** In these a blank at either end may be meant: an export must come back as it was. */
const exactFields: ReadonlySet<string> = new Set(['externalId', 'firstName', 'lastName']);

/** A cell, or nothing where its bytes are not UTF-8. */
type Cell = string | undefined;

/**
 * CSV after RFC 4180 whose first line names the fields. `row` is the number of the record after that line; records without
 * any text do not count. Empty cells are absent; `roles` are separated by blanks, commas, semicolons or bars.
 * @throws AppError `malformed-csv`, for what cannot be read on from
 */
export async function* readCsv(bytes: Bytes, options: CsvOptions = {}): AsyncGenerator<readonly SourceRow[]> {
  let header: readonly (string | undefined)[] | undefined;
  let row = 0;
  let rows: SourceRow[] = [];
  for await (const cells of records(bytes, options.delimiter)) {
    if (cells.every((cell) => cell?.trim() === '')) continue;
    if (header === undefined) header = fieldsOf(cells, options.columns ?? {});
    else rows.push(toRow(++row, header, cells));
    if (rows.length < rowsAtATime) continue;
    yield rows;
    rows = [];
  }
  yield rows;
}

async function* records(bytes: Bytes, wanted: string | undefined): AsyncGenerator<readonly Cell[]> {
  const { delimiter, rest } = await sniffDialect(bytes, wanted);
  const parser = parse({
    // a character a byte: in UTF-8, bytes that are none could not be told from a U+FFFD that was sent
    encoding: 'latin1',
    delimiter: Buffer.from(delimiter).toString('latin1'),
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: maxRowBytes,
  });
  // errors of either end come out of the loop below
  pipeline(Readable.from(rest, { objectMode: false }), parser, () => undefined);
  try {
    for await (const cells of parser as AsyncIterable<string[]>) yield cells.map(toText);
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new AppError('malformed-csv', { detail: explain(error), cause: error });
  }
}

function toText(cell: string): Cell {
  // most cells are ASCII, whose bytes are its characters
  if (!/[\u0080-\u00FF]/.test(cell)) return cell;
  const bytes = Buffer.from(cell, 'latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : undefined;
}

function explain(error: CsvError): string {
  if (error.code !== 'CSV_MAX_RECORD_SIZE') return error.message.slice(0, 200);
  return `A record is longer than ${maxRowBytes} bytes: a quote may be missing, near line ${String(error['lines'])}.`;
}

/** @throws AppError `malformed-csv` that names the columns which are not known */
function fieldsOf(cells: readonly Cell[], map: ColumnMap): readonly (string | undefined)[] {
  if (cells.length > maxColumns) throw new AppError('malformed-csv', { detail: `More than ${maxColumns} columns.` });
  if (cells.includes(undefined)) throw new AppError('malformed-csv', { detail: 'The first line is not UTF-8.' });
  const names = cells.map((cell) => (cell ?? '').trim());
  const fields = names.map((name) => map[name] ?? name);
  const unknown = fields.filter((field) => field !== '' && !importFields.includes(field));
  const repeated = fields.filter((field, at) => field !== '' && fields.indexOf(field) !== at);
  const missing = ['userName', 'firstName', 'lastName'].filter((field) => !fields.includes(field));
  const faults = [
    ...list('These columns are not known', unknown),
    ...list('These columns come more than once', repeated),
    ...list('These columns are missing', missing),
  ];
  if (faults.length === 0) return fields.map((field) => (field === '' ? undefined : field));
  const detail = `${faults.join(' ')} The first line names the fields: ${importFields.join(', ')}.`;
  throw new AppError('malformed-csv', { detail });
}

const list = (what: string, names: readonly string[]): readonly string[] =>
  names.length === 0 ? [] : [`${what}: ${names.slice(0, 10).join(', ').slice(0, 200)}.`];

function toRow(row: number, header: readonly (string | undefined)[], cells: readonly Cell[]): SourceRow {
  if (cells.length !== header.length) {
    const message = `has ${cells.length} cells where the first line has ${header.length}`;
    return { row, fault: 'malformed-csv', message };
  }
  const value: Record<string, unknown> = {};
  for (const [at, field] of header.entries()) {
    const cell = cells[at];
    if (cell === undefined) return { row, fault: 'invalid-encoding', message: 'not UTF-8' };
    const given = field === undefined ? undefined : valueOf(field, cell);
    if (field !== undefined && given !== undefined) value[field] = given;
  }
  return { row, value };
}

function valueOf(field: string, cell: string): string | readonly string[] | undefined {
  if (field !== 'roles') return (exactFields.has(field) ? cell : cell.trim()) || undefined;
  const roles = cell.split(/[\s,;|]+/).filter((role) => role !== '');
  return roles.length === 0 ? undefined : roles;
}
