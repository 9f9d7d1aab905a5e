import { expect, test } from 'vitest';

import { usableCores } from './usable-cores.js';

const v2 = (path: string, files: Record<string, string>) => ({ '/proc/self/cgroup': `0::${path}\n`, ...files });
const v1 = (path: string, files: Record<string, string>) => ({
  '/proc/self/cgroup': `9:name=systemd:/\n2:cpuset:/\n1:cpu,cpuacct:${path}\n0::/\n`,
  ...files,
});

test.each<[string, number, Record<string, string>]>([
  ['all, without cgroups', 8, {}],
  ['all, without a quota', 8, v2('/', { '/sys/fs/cgroup/cpu.max': 'max 100000\n' })],
  ['a quota of version 2', 2, v2('/', { '/sys/fs/cgroup/cpu.max': '200000 100000\n' })],
  ['whole cores of a quota', 2, v2('/', { '/sys/fs/cgroup/cpu.max': '250000 100000\n' })],
  ['1, when the quota is a part of a core', 1, v2('/', { '/sys/fs/cgroup/cpu.max': '5000 100000\n' })],
  ['no more than the machine has', 8, v2('/', { '/sys/fs/cgroup/cpu.max': '1600000 100000\n' })],
  [
    'the quota of its own cgroup',
    3,
    v2('/app.slice/gatehouse.service', {
      '/sys/fs/cgroup/app.slice/gatehouse.service/cpu.max': '300000 100000\n',
      '/sys/fs/cgroup/app.slice/cpu.max': 'max 100000\n',
    }),
  ],
  [
    'a smaller quota of a cgroup around it',
    2,
    v2('/app.slice/gatehouse.service', {
      '/sys/fs/cgroup/app.slice/gatehouse.service/cpu.max': '300000 100000\n',
      '/sys/fs/cgroup/app.slice/cpu.max': '200000 100000\n',
    }),
  ],
  [
    'a quota of version 1',
    4,
    v1('/docker/0123', {
      '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '200000\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '50000\n',
    }),
  ],
  [
    'all, without a quota of version 1',
    8,
    v1('/', { '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n', '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n' }),
  ],
  ['all, when the files make no sense', 8, v2('/', { '/sys/fs/cgroup/cpu.max': 'quota\n' })],
])('of 8 cores a process may use %s: %i', (_, expected, files: Record<string, string>) => {
  expect(usableCores(8, (path) => files[path])).toBe(expected);
});
