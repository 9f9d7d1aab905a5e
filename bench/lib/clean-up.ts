import { note } from './table.ts';

type Task = () => void | Promise<void>;

const tasks: Task[] = [];
let isEnding = false;

/** Does something at the end of a run, also of one that fails or is stopped; the last one first. */
export function onEnd(task: Task): void {
  if (tasks.length === 0) {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop());
  }
  tasks.push(task);
}

/** Does all of it; what fails is told and holds nothing up. */
export async function cleanUp(): Promise<void> {
  for (let task = tasks.pop(); task; task = tasks.pop()) {
    try {
      await task();
    } catch (error) {
      note(`not cleaned up: ${String(error)}`);
    }
  }
}

async function stop(): Promise<void> {
  if (isEnding) return;
  isEnding = true;
  note('stopped: cleaning up');
  await cleanUp();
  process.exit(130);
}
