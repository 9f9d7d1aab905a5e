import { globSync, readFileSync } from 'node:fs';

/**
 * Fails on lines of comments that are longer than a reader likes; what cannot be
 * broken, as a URL, may be longer.
 */
const maxColumns = 100;
const files = globSync('{libs,apps,packages,examples,test,bench,scripts}/**/*.ts', {
  exclude: ['**/node_modules/**', '**/dist/**'],
}).toSorted();
const found = files.flatMap((file) =>
  readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line, at) => (isLong(line) ? [`${file}:${at + 1}: ${line.length} columns`] : [])),
);
for (const one of found) console.error(one);
if (found.length > 0) {
  console.error(`${found.length} lines of comments have more than ${maxColumns} columns.`);
  process.exitCode = 1;
}

function isLong(line: string): boolean {
  if (line.length <= maxColumns) return false;
  const [, comment = ''] = /^\s*(?:\/\/|\/?\*)(.*)/.exec(line) ?? [];
  return /\S\s+\S/.test(comment.replaceAll(/\S*:\/\/\S*|\*\/|^\*/g, ''));
}
