/** `exact` writes what is there; `spreadsheet` keeps cells from being taken for formulas (OWASP, "CSV Injection"). */
export type CellStyle = 'exact' | 'spreadsheet';

/** A record of CSV after RFC 4180, with its line break. */
export function toCsvRecord(cells: readonly string[], style: CellStyle): string {
  return `${cells.map((cell) => quote(style === 'exact' ? cell : defuse(cell))).join(',')}\r\n`;
}

const quote = (cell: string): string => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
const defuse = (cell: string): string => (/^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell);
