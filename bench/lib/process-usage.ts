import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { loadavg } from 'node:os';

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/**
 * Seconds of CPU that a process has used, all its threads, in user and kernel
 * mode. Counted in ticks of 10 ms.
 */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // the name in parentheses may hold spaces; after it come the fields from the third on
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/**
 * The share of a process's CPU that its hashing threads (libuv's) have from now until the
 * answer is asked for. On a busy core it tells what hashing lost to other work, whatever
 * the core's speed did meanwhile.
 */
export function hashingShare(pid: number): () => number {
  const before = threadNanoseconds(pid);
  return () => {
    const after = threadNanoseconds(pid);
    return (after.hashing - before.hashing) / (after.all - before.all);
  };
}

function threadNanoseconds(pid: number): { hashing: number; all: number } {
  const sum = { hashing: 0, all: 0 };
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const read = (file: string): string => readFileSync(`/proc/${pid}/task/${thread}/${file}`, 'utf8');
    const time = Number(read('schedstat').split(' ')[0]);
    sum.all += time;
    if (read('comm').startsWith('libuv-worker')) sum.hashing += time;
  }
  return sum;
}

/** Resident memory of a process in MB, now and at its highest. */
export function residentMb(pid: number): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const read = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) / 1024;
  return { now: read('VmRSS'), peak: read('VmHWM') };
}

/** Binds a process and all its threads to a core. */
export function pin(pid: number, cpu: string): void {
  execFileSync('taskset', ['-acp', cpu, String(pid)], { stdio: 'ignore' });
}

export const loadNow = (): string =>
  loadavg()
    .map((value) => value.toFixed(2))
    .join(' ');
