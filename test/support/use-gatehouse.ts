import { afterAll, beforeAll } from 'vitest';

import { copyDatabase, type OwnDatabase } from './copy-database.js';
import { type Gatehouse, startGatehouse } from './start-gatehouse.js';

export type Wanted = {
  /** Settings of a service of one's own. */
  readonly environment?: Readonly<Record<string, string>>;
  /**
   * For a file that changes or counts what others see: keys, limits, the last administrator, all
   * users. Also for one that reads what Nest's logger wrote: services of one process share it, and
   * the lines go to the one that started last.
   */
  readonly own?: true;
};

/**
 * A worker runs file after file, so that files with the same needs take the
 * same service one after another.
 */
let shared: Promise<Gatehouse> | undefined;

/**
 * The service that a test file talks to; it is there when the first `beforeAll` of the
 * file runs. Files without wishes share one: they make their own users and services
 * and leave those of others alone.
 */
export function useGatehouse({ environment, own }: Wanted = {}): Gatehouse {
  let current: Gatehouse | undefined;
  const isShared = !environment && !own;
  beforeAll(async () => {
    current = await (isShared ? startShared() : startGatehouse(environment));
  });
  afterAll(async () => {
    if (!isShared) await current?.stop();
  });
  const started = (): Gatehouse => {
    if (!current) throw new Error('The service runs from the first `beforeAll` on.');
    return current;
  };
  return {
    get app() {
      return started().app;
    },
    get url() {
      return started().url;
    },
    get api() {
      return started().api;
    },
    get log() {
      return started().log;
    },
    stop: () => started().stop(),
  };
}

/**
 * Two replicas on a database of their own; as `useGatehouse`.
 * @param environment settings of both, asked for when they start
 */
export function useReplicas(environment: () => Promise<Wanted['environment']> = async () => undefined): {
  readonly both: () => readonly [Gatehouse, Gatehouse];
  readonly databaseUrl: () => string | undefined;
} {
  let own: OwnDatabase | undefined;
  let [here, there]: Gatehouse[] = [];
  beforeAll(async () => {
    own = await copyDatabase();
    const settings = await environment();
    here = await startGatehouse(settings, own);
    there = await startGatehouse(settings, own);
  });
  afterAll(async () => {
    await here?.stop();
    await there?.stop();
    await own?.drop();
  });
  const both = (): readonly [Gatehouse, Gatehouse] => {
    if (!here || !there) throw new Error('The replicas run from the first `beforeAll` on.');
    return [here, there];
  };
  return { both, databaseUrl: () => own?.environment['DATABASE_URL'] };
}

/** It ends with its worker; the global teardown removes its database. */
function startShared(): Promise<Gatehouse> {
  shared ??= copyDatabase().then((database) => startGatehouse({}, database));
  return shared;
}
