import { spawnSync } from 'node:child_process';

// @ts-expect-error it is plain JavaScript, for dependency-cruiser
import { uses } from '../.dependency-cruiser.mjs';

type Cruise = {
  readonly modules: readonly {
    readonly source: string;
    readonly dependencies: readonly { readonly resolved: string }[];
  }[];
};

/**
 * Fails on an edge of the map in `.dependency-cruiser.mjs` that no import uses: the
 * map says what is, not what was.
 */
const { stdout, stderr } = spawnSync(
  'depcruise',
  ['apps', 'libs', 'packages', '--config', '.dependency-cruiser.mjs', '--output-type', 'json'],
  { encoding: 'utf8', maxBuffer: 2 ** 28, shell: process.platform === 'win32' },
);
if (!stdout) throw new Error(stderr);
const { modules }: Cruise = JSON.parse(stdout);
const edges = Object.entries<readonly string[]>(uses).flatMap(([lib, allowed]) =>
  allowed.map((used) => [lib, used] as const),
);
const unused = edges.filter(([lib, used]) => !isUsed(lib, used));
for (const [lib, used] of unused) console.error(`${lib} → ${used}: no import needs this edge; take it out of the map.`);
if (unused.length > 0) process.exitCode = 1;

/** A wildcard is used when any lib that it stands for is, but for the lib itself. */
function isUsed(lib: string, used: string): boolean {
  const from = folderOf(lib);
  const to = folderOf(used);
  return modules.some(
    ({ source, dependencies }) =>
      from.test(source) && dependencies.some(({ resolved }) => to.test(resolved) && !from.test(resolved)),
  );
}

function folderOf(lib: string): RegExp {
  return new RegExp(`^libs/${lib.replace('*', '[^/]+')}/`);
}
