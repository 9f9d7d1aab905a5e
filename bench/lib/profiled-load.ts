import { mkdirSync } from 'node:fs';

import type { Database } from './database.ts';
import { measureOnce } from './interleaved.ts';
import type { Options } from './options.ts';
import { printProfile } from './profile.ts';
import { startReplica } from './replica.ts';

type ProfiledLoad = {
  /** What the file in `profiles/` is named by. */
  readonly name: string;
  readonly requests: readonly string[];
  readonly connections: number;
  readonly env?: Readonly<Record<string, string>>;
};

/** Ten seconds of load on a replica of its own, under V8's sampling profiler. */
export async function profileUnderLoad(
  options: Options,
  database: Database,
  { name, env = {}, ...load }: ProfiledLoad,
): Promise<void> {
  const folder = `${import.meta.dirname}/../profiles`;
  mkdirSync(folder, { recursive: true });
  const file = `${name}-${process.pid}.cpuprofile`;
  const nodeFlags = ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-name=${file}`];
  const server = await startReplica(options, { databaseUrl: database.url, nodeFlags, env });
  await database.pinBackends(options.loadCpu);
  await measureOnce(server, load, 3);
  const startedMicros = Number(process.hrtime.bigint() / 1_000n);
  const { cpuMicros } = await measureOnce(server, load, 10);
  const window = [startedMicros, Number(process.hrtime.bigint() / 1_000n)] as const;
  await server.stop();
  printProfile(`${folder}/${file}`, window, cpuMicros);
}
