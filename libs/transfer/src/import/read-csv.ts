import { pipeline, Readable } from 'node:stream';

import { CsvError, parse } from 'csv-parse';

import { AppError } from '#libs/platform/errors';

import { importFields } from './row.schema.js';
import { type Bytes, maxRowBytes, type SourceRow } from './source-row.js';

/** What a column of the file is in a row: `{ Login: 'userName' }`; an empty name leaves the column out. */
export type ColumnMap = Readonly<Record<string, string>>;
export type CsvOptions = { readonly columns?: ColumnMap; readonly delimiter?: string };

const maxColumns = 64;
const rowsAtATime = 256;

/**
 * CSV after RFC 4180 whose first line names the fields. `row` is the number of the record after that line. Empty cells are
 * absent; `roles` are separated by spaces, commas, semicolons or bars.
 * @throws AppError `malformed-csv`, for what cannot be read on from
 */
export async function* readCsv(bytes: Bytes, options: CsvOptions = {}): AsyncGenerator<readonly SourceRow[]> {
  let header: readonly (string | undefined)[] | undefined;
  let row = 0;
  let rows: SourceRow[] = [];
  for await (const cells of records(bytes, options.delimiter ?? ',')) {
    if (header === undefined) header = fieldsOf(cells, options.columns ?? {});
    else rows.push(toRow(++row, header, cells));
    if (rows.length < rowsAtATime) continue;
    yield rows;
    rows = [];
  }
  yield rows;
}

async function* records(bytes: Bytes, delimiter: string): AsyncGenerator<readonly string[]> {
  const parser = parse({
    bom: true,
    delimiter,
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: maxRowBytes,
  });
  // errors of either end come out of the loop below
  pipeline(Readable.from(bytes, { objectMode: false }), parser, () => undefined);
  try {
    yield* parser as AsyncIterable<string[]>;
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new AppError('malformed-csv', { detail: explain(error), cause: error });
  }
}

function explain(error: CsvError): string {
  if (error.code !== 'CSV_MAX_RECORD_SIZE') return error.message.slice(0, 200);
  return `A record is longer than ${maxRowBytes} bytes: a quote may be missing, near line ${String(error['lines'])}.`;
}

/** @throws AppError `malformed-csv` that names the columns which are not known */
function fieldsOf(names: readonly string[], map: ColumnMap): readonly (string | undefined)[] {
  if (names.length > maxColumns) throw new AppError('malformed-csv', { detail: `More than ${maxColumns} columns.` });
  const fields = names.map((name) => map[name.trim()] ?? name.trim());
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

function toRow(row: number, header: readonly (string | undefined)[], cells: readonly string[]): SourceRow {
  if (cells.length !== header.length) {
    const message = `has ${cells.length} cells where the first line has ${header.length}`;
    return { row, fault: 'malformed-csv', message };
  }
  const value: Record<string, unknown> = {};
  for (const [at, field] of header.entries()) {
    const cell = cells[at] ?? '';
    // the parser puts this in the place of bytes that are not UTF-8
    if (cell.includes('\uFFFD')) return { row, fault: 'invalid-encoding', message: 'not UTF-8' };
    if (field !== undefined && cell !== '') value[field] = field === 'roles' ? cell.split(/[\s,;|]+/) : cell;
  }
  return { row, value };
}
