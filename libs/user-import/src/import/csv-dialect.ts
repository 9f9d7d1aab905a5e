import type { Bytes } from './source-row.js';

/** What separates cells: a comma, or what Excel writes where the comma is in numbers, or a tab. */
export const delimiters = [',', ';', '\t'] as const;

const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);
const lineFeed = 0x0a;
/** More than the first line can have. */
const headBytes = 16_384;

/** `rest` is the text without its byte order mark, and without the line that tells Excel the delimiter. */
type Dialect = { readonly delimiter: string; readonly rest: Bytes };

/**
 * How a CSV is written, by its first line: it names the fields, in whose names there is none of the delimiters. Excel's
 * own `sep=;` before it is heeded.
 */
export async function sniffDialect(bytes: Bytes, wanted: string | undefined): Promise<Dialect> {
  const chunks = bytes[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  while (!head.includes(lineFeed) && head.length < headBytes) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const next = await chunks.next();
    if (next.done === true) break;
    head = Buffer.concat([head, next.value]);
  }
  if (head.subarray(0, byteOrderMark.length).equals(byteOrderMark)) head = head.subarray(byteOrderMark.length);
  const line = firstLine(head);
  const said = /^"?sep=(.)"?\r?$/.exec(line)?.[1];
  if (said !== undefined) head = head.subarray(Buffer.byteLength(line) + 1);
  const found = delimiters.find((delimiter) => line.includes(delimiter)) ?? ',';
  return { delimiter: wanted ?? said ?? found, rest: joined(head, chunks) };
}

function firstLine(head: Buffer): string {
  const end = head.indexOf(lineFeed);
  return head.subarray(0, end === -1 ? head.length : end).toString('utf8');
}

async function* joined(head: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield head;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}
