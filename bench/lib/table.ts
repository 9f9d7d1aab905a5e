import { loadNow } from './process-usage.ts';

/**
 * Prints rows below a title as a table of Markdown, with the machine's load
 * average, which tells how quiet it was.
 */
export function printTable(title: string, rows: readonly Readonly<Record<string, string | number>>[]): void {
  const names = Object.keys(rows[0] ?? {});
  const cells = rows.map((row) => names.map((name) => String(row[name] ?? '')));
  const widths = names.map((name, at) => Math.max(name.length, ...cells.map((row) => row[at]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`;
  console.log(`\n${title}\n`);
  console.log([line(names), line(widths.map((width) => '-'.repeat(width))), ...cells.map(line)].join('\n'));
  console.log(`\nload average ${loadNow()}`);
}

/** A line of progress, apart from the result. */
export const note = (text: string): void => console.error(`  ${text}`);
