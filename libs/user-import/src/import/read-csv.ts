import { isUtf8 } from 'node:buffer';
import { pipeline, Readable } from 'node:stream';

import { CsvError, parse } from 'csv-parse';

import { AppError } from '#libs/platform/errors';

import { delimiters, importFields, memberOf } from './import.schema.js';
import { valueOfCell } from './member-cell.js';
import { type Bytes, maxRowBytes, type SourceRow } from './prepare-row.js';

/** The field of each column: `{ Login: 'userName' }`. An empty name leaves the column out. */
export type ColumnMap = Readonly<Record<string, string>>;
export type CsvOptions = {
  readonly columns?: ColumnMap;
  /** When it is absent, the first line tells it. */
  readonly delimiter?: string | undefined;
};

const maxColumns = 64;
const rowsAtATime = 256;
const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);
const lineFeed = 0x0a;
/** More than the first line can have. */
const headBytes = 16_384;
/** Blanks at either end of these fields are kept, so that an export comes back as it was. */
const exactFields: ReadonlySet<string> = new Set(['subject', 'externalId', 'firstName', 'lastName']);

/** The field of a column, or a member of one that is an object. */
type Column = { readonly field: string; readonly member?: string };

/** A cell, or undefined when its bytes are not UTF-8. */
type Cell = string | undefined;

/**
 * Reads CSV (RFC 4180) whose first line names the fields. `row` is the number of the record after
 * that line; records without any text do not count. Empty cells are absent fields. `roles` are
 * separated by blanks, commas, semicolons or bars. Cells of `profile` and `metadata` are JSON;
 * those of `profile.<name>` and `metadata.<name>` are members of them: see `valueOfCell`.
 * @throws AppError `malformed-csv` when the rest cannot be read
 */
export async function* readCsv(bytes: Bytes, options: CsvOptions = {}): AsyncGenerator<readonly SourceRow[]> {
  let header: readonly (Column | undefined)[] | undefined;
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
    // Each byte becomes a character. A decoder of UTF-8 would turn wrong bytes into U+FFFD, which
    // a client may also have sent.
    encoding: 'latin1',
    delimiter: Buffer.from(delimiter).toString('latin1'),
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: maxRowBytes,
  });
  // The loop below throws the errors of both streams.
  pipeline(Readable.from(rest, { objectMode: false }), parser, () => undefined);
  try {
    for await (const cells of parser as AsyncIterable<string[]>) yield cells.map(toText);
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new AppError('malformed-csv', { detail: explain(error), cause: error });
  }
}

/** Text without its byte order mark, and without the line that tells Excel the delimiter. */
type Dialect = { readonly delimiter: string; readonly rest: Bytes };

/**
 * Finds the delimiter in the first line: the line names the fields, and no name has a delimiter in
 * it. Excel's own `sep=;` before that line counts.
 */
async function sniffDialect(bytes: Bytes, wanted: string | undefined): Promise<Dialect> {
  const chunks = bytes[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  while (!head.includes(lineFeed) && head.length < headBytes) {
    const next = await chunks.next();
    if (next.done === true) break;
    head = Buffer.concat([head, next.value]);
  }
  if (head.subarray(0, byteOrderMark.length).equals(byteOrderMark)) head = head.subarray(byteOrderMark.length);
  const end = head.indexOf(lineFeed);
  const line = head.subarray(0, end === -1 ? head.length : end).toString('utf8');
  const said = /^"?sep=(.)"?\r?$/.exec(line)?.[1];
  if (said !== undefined) head = head.subarray(Buffer.byteLength(line) + 1);
  const found = delimiters.find((delimiter) => line.includes(delimiter)) ?? ',';
  return { delimiter: wanted ?? said ?? found, rest: joined(head, chunks) };
}

async function* joined(head: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield head;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}

function toText(cell: string): Cell {
  // Fast path: most cells are ASCII.
  if (!/[\u0080-\u00FF]/.test(cell)) return cell;
  const bytes = Buffer.from(cell, 'latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : undefined;
}

function explain(error: CsvError): string {
  if (error.code !== 'CSV_MAX_RECORD_SIZE') return error.message.slice(0, 200);
  return `A record is longer than ${maxRowBytes} bytes: a quote may be missing, near line ${String(error['lines'])}.`;
}

/** @throws AppError `malformed-csv` that names the columns at fault */
function fieldsOf(cells: readonly Cell[], map: ColumnMap): readonly (Column | undefined)[] {
  if (cells.length > maxColumns) throw new AppError('malformed-csv', { detail: `More than ${maxColumns} columns.` });
  if (cells.includes(undefined)) throw new AppError('malformed-csv', { detail: 'The first line is not UTF-8.' });
  const names = cells.map((cell) => (cell ?? '').trim());
  const fields = names.map((name) => map[name] ?? name);
  const unknown = fields.filter((field) => field !== '' && !importFields.includes(field) && !memberOf(field));
  const repeated = fields.filter((field, at) => field !== '' && fields.indexOf(field) !== at);
  const missing = ['userName', 'firstName', 'lastName'].filter((field) => !fields.includes(field));
  const faults = [
    ...list('These columns are not known', unknown),
    ...list('These columns come more than once', repeated),
    ...list('These columns are missing', missing),
  ];
  if (faults.length === 0) return fields.map(columnOf);
  const detail = `${faults.join(' ')} The first line names the fields: ${importFields.join(', ')}, profile.<name>, metadata.<name>.`;
  throw new AppError('malformed-csv', { detail });
}

const list = (what: string, names: readonly string[]): readonly string[] =>
  names.length === 0 ? [] : [`${what}: ${names.slice(0, 10).join(', ').slice(0, 200)}.`];

function columnOf(name: string): Column | undefined {
  const member = memberOf(name);
  if (member) return { field: member.field, member: member.name };
  return name === '' ? undefined : { field: name };
}

function toRow(row: number, header: readonly (Column | undefined)[], cells: readonly Cell[]): SourceRow {
  if (cells.length !== header.length) {
    const message = `has ${cells.length} cells where the first line has ${header.length}`;
    return { row, fault: 'malformed-csv', message };
  }
  const value: Record<string, unknown> = {};
  for (const [at, column] of header.entries()) {
    const cell = cells[at];
    if (cell === undefined) return { row, fault: 'invalid-encoding', message: 'not UTF-8' };
    if (column === undefined) continue;
    const { field, member } = column;
    if (member === undefined) setOnce(value, field, valueOf(field, cell));
    else if (cell !== '') value[field] = withMember(value[field], member, valueOfCell(cell));
  }
  return { row, value };
}

/** Members may have come before the object that has the rest of them. */
function setOnce(value: Record<string, unknown>, field: string, given: unknown): void {
  if (given === undefined) return;
  const members = value[field];
  value[field] = isObject(members) && isObject(given) ? { ...given, ...members } : given;
}

/** What is no object stays, for the schema to refuse. `__proto__` becomes a member like others. */
function withMember(object: unknown, name: string, value: unknown): unknown {
  if (object !== undefined && !isObject(object)) return object;
  return Object.fromEntries([...Object.entries(object ?? {}), [name, value]]);
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function valueOf(field: string, cell: string): unknown {
  if (field === 'profile' || field === 'metadata') return cell.trim() === '' ? undefined : valueOfCell(cell);
  if (field === 'emailVerified') return truth(cell.trim());
  if (field !== 'roles') return (exactFields.has(field) ? cell : cell.trim()) || undefined;
  const roles = cell.split(/[\s,;|]+/).filter((role) => role !== '');
  return roles.length === 0 ? undefined : roles;
}

/** Spreadsheets write `TRUE`. What is neither stays text, for the schema to refuse. */
function truth(cell: string): unknown {
  if (cell === '') return undefined;
  const [isTrue, isFalse] = [/^true$/i.test(cell), /^false$/i.test(cell)];
  return isTrue || isFalse ? isTrue : cell;
}
