import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path/posix';

/** The files of cgroups as they are on Linux; nothing where there is no such file. */
type ReadText = (path: string) => string | undefined;

/**
 * The cores that this process may use, at least 1: those of the machine, of its CPU mask, and of
 * the CPU quotas of its cgroup and of each cgroup around it. libuv 1.52 counts quotas too, but not
 * on hosts that mount both versions of cgroups.
 */
export function usableCores(cores = availableParallelism(), read: ReadText = readText): number {
  const quotas = cgroupFolders(read('/proc/self/cgroup') ?? '').map((folder) => coresOfQuota(folder, read));
  return Math.max(1, Math.floor(Math.min(cores, ...quotas)));
}

/** Each line is `hierarchy:controllers:path`; version 2 names no controllers (cgroups(7)). */
function cgroupFolders(text: string): readonly string[] {
  return text.split('\n').flatMap((line) => {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (path === undefined) return [];
    if (controllers === '') return pathsUp(path).map((part) => join('/sys/fs/cgroup', part));
    if (controllers?.split(',').includes('cpu') !== true) return [];
    // in a container the path may be that of the host, while the mount shows the container's own
    // cgroup as its root
    return pathsUp(path).map((part) => join('/sys/fs/cgroup/cpu', part));
  });
}

const pathsUp = (path: string): readonly string[] => (path === '/' ? [path] : [path, ...pathsUp(dirname(path))]);

/** `cpu.max` holds `$quota $period`, `max` for none; version 1 has a file for each, -1 for none. */
function coresOfQuota(folder: string, read: ReadText): number {
  const text =
    read(join(folder, 'cpu.max')) ??
    `${read(join(folder, 'cpu.cfs_quota_us')) ?? 'max'} ${read(join(folder, 'cpu.cfs_period_us')) ?? ''}`;
  const [quota, period] = text.trim().split(/\s+/).map(Number);
  return quota && period && quota > 0 && period > 0 ? quota / period : Number.POSITIVE_INFINITY;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
