/**
 * The value of a cell `profile.<name>` or `metadata.<name>`: what it is as JSON, else its text.
 * Numbers and words count as JSON only when JSON would write them so: `007`, `1.0`, `+49` and
 * numbers that a double cannot hold are text, and lose nothing.
 */
export function valueOfCell(cell: string): unknown {
  const value = parsed(cell);
  if (value === undefined) return cell;
  const isScalar = typeof value !== 'object' && typeof value !== 'string';
  return isScalar && JSON.stringify(value) !== cell ? cell : value;
}

/** The cell that reads as the value again. Text that would read as something else is quoted. */
export function cellOfValue(value: unknown): string {
  if (typeof value === 'string' && value !== '' && valueOfCell(value) === value) return value;
  return JSON.stringify(value);
}

function parsed(cell: string): unknown {
  // Fast path: most cells are plain text.
  if (!/^[\s\d"[{tfn-]/.test(cell)) return undefined;
  try {
    return JSON.parse(cell);
  } catch {
    return undefined;
  }
}
