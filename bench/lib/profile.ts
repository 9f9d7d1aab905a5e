import { readFileSync } from 'node:fs';

import { printTable } from './table.ts';

type Node = {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
};
type Profile = {
  readonly nodes: readonly Node[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
  readonly startTime: number;
};

/**
 * Prints where the time within a window (µs of the monotonic clock, which V8 shares with
 * `process.hrtime`) went, by function and by package, scaled to the CPU of a request.
 */
export function printProfile(file: string, [from, to]: readonly [number, number], cpuMicros: number): void {
  const profile = JSON.parse(readFileSync(file, 'utf8')) as Profile;
  const nodes = new Map(profile.nodes.map((node) => [node.id, node.callFrame]));
  const [byFunction, byPackage] = [new Map<string, number>(), new Map<string, number>()];
  let [now, total] = [profile.startTime, 0];
  for (const [at, id] of profile.samples.entries()) {
    const delta = profile.timeDeltas[at] ?? 0;
    now += delta;
    const frame = nodes.get(id);
    if (!frame || now < from || now > to || frame.functionName === '(idle)') continue;
    total += delta;
    const place = placeOf(frame.url);
    const line = frame.url === '' ? '' : `${place}:${frame.lineNumber + 1}`;
    add(byFunction, `${frame.functionName || '(anonymous)'} ${line}`, delta);
    add(byPackage, packageOf(frame), delta);
  }
  const micros = (time: number): string => ((time / total) * cpuMicros).toFixed(1);
  const rows = (times: ReadonlyMap<string, number>, limit: number) =>
    [...times]
      .toSorted(([, left], [, right]) => right - left)
      .slice(0, limit)
      .map(([name, time]) => ({ where: name, 'µs/request': micros(time), '%': ((time / total) * 100).toFixed(1) }));
  printTable(`Self time by function, ${cpuMicros.toFixed(0)} µs a request`, rows(byFunction, 40));
  printTable('Self time by package', rows(byPackage, 25));
}

const add = (times: Map<string, number>, name: string, time: number): void => {
  times.set(name, (times.get(name) ?? 0) + time);
};

const placeOf = (url: string): string => url.replace(/^file:\/\//, '').replace(/^.*\/(node_modules|dist)\//, '');

function packageOf({ url, functionName }: Node['callFrame']): string {
  if (url === '') return functionName.startsWith('(') ? functionName : '(native)';
  if (url.startsWith('node:')) return 'node';
  const name = /\/node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*\/node_modules\/)/.exec(url)?.[1];
  return name ?? /\/dist\/((?:libs|apps)\/.*)\/src\//.exec(url)?.[1] ?? url;
}
