import { configSchema } from './config.schema.js';

type Misspelt = { readonly name: string; readonly meant: string };

/** Variables that look like a typing error of ours, with the nearest known name. */
export function findMisspelt(names: readonly string[]): readonly Misspelt[] {
  const known = Object.entries(configSchema.shape).flatMap(([name, schema]) =>
    schema.meta()?.['secret'] === true ? [name, `${name}_FILE`] : [name],
  );
  const isKnown = new Set(known);
  return names
    .filter((name) => name.length >= 6 && !isKnown.has(name))
    .flatMap((name) => {
      const meant = known.find((candidate) => isOneOrTwoEditsAway(name.toUpperCase(), candidate));
      return meant ? [{ name, meant }] : [];
    });
}

function isOneOrTwoEditsAway(left: string, right: string): boolean {
  if (right.length < 6 || Math.abs(left.length - right.length) > 2) return false;
  let previous = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const substitution = (previous[column - 1] ?? 0) + (left[row - 1] === right[column - 1] ? 0 : 1);
      current[column] = Math.min(substitution, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1);
    }
    previous = current;
  }
  return (previous[right.length] ?? Infinity) <= 2;
}
