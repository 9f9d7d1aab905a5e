import { spawnSync } from 'node:child_process';

import { format, type ICruiseResult } from 'dependency-cruiser';

// @ts-expect-error it is plain JavaScript, for dependency-cruiser
import { uses } from '../.dependency-cruiser.mjs';

/**
 * Fails on an import that breaks a rule of `.dependency-cruiser.mjs`, and on an edge of its map
 * that no import uses: the map says what is, not what was.
 */
const { stdout, stderr } = spawnSync(
  'depcruise',
  ['apps', 'libs', '--config', '.dependency-cruiser.mjs', '--output-type', 'json'],
  { encoding: 'utf8', maxBuffer: 2 ** 28, shell: process.platform === 'win32' },
);
if (!stdout) throw new Error(stderr);
const result: ICruiseResult = JSON.parse(stdout);
const { output, exitCode } = await format(result, { outputType: 'err' });
console.log(output);
const edges = Object.entries<readonly string[]>(uses).flatMap(([lib, allowed]) =>
  allowed.map((used) => [lib, used] as const),
);
const unused = edges.filter(([lib, used]) => !isUsed(lib, used));
for (const [lib, used] of unused) console.error(`${lib} → ${used}: no import needs this edge; take it out of the map.`);
if (exitCode > 0 || unused.length > 0) process.exitCode = 1;

/** A wildcard is used when any lib that it stands for is, but for the lib itself. */
function isUsed(lib: string, used: string): boolean {
  const from = folderOf(lib);
  const to = folderOf(used);
  return result.modules.some(
    ({ source, dependencies }) =>
      from.test(source) && dependencies.some(({ resolved }) => to.test(resolved) && !from.test(resolved)),
  );
}

function folderOf(lib: string): RegExp {
  return new RegExp(`^libs/${lib.replace('*', '[^/]+')}/`);
}
