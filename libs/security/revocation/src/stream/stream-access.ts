import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';

import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

import { type CallerNow, callerNow } from '#libs/platform/access';
import { toFailure } from '#libs/platform/http';

import type { StreamListener } from './stream-listener.js';

const askEveryMs = 400;
/** A view that is stale asks the database for each. */
const asksAtOnce = 20;

/** Ends the streams of services that may not read any more, within a second. */
@Injectable()
export class StreamAccess {
  /** By what they proved themselves with: what holds for one stream holds for all of its kind. */
  readonly #streams = new Map<string, Map<StreamListener, CallerNow>>();
  #isAsking = false;

  watch(listener: StreamListener, request: FastifyRequest): void {
    const key = credentialsOf(request);
    const streams = this.#streams.get(key) ?? new Map<StreamListener, CallerNow>();
    this.#streams.set(key, streams.set(listener, callerNow(request)));
    if (!this.#isAsking) void this.#keepAsking();
  }

  forget(listener: StreamListener, request: FastifyRequest): void {
    const key = credentialsOf(request);
    const streams = this.#streams.get(key);
    streams?.delete(listener);
    if (streams?.size === 0) this.#streams.delete(key);
  }

  async #keepAsking(): Promise<void> {
    this.#isAsking = true;
    while (this.#streams.size > 0) {
      await sleep(askEveryMs);
      const groups = [...this.#streams.values()];
      for (let at = 0; at < groups.length; at += asksAtOnce) {
        await Promise.all(groups.slice(at, at + asksAtOnce).map((streams) => this.#ask(streams)));
        await nextTurn();
      }
    }
    this.#isAsking = false;
  }

  /**
   * While trust cannot be checked nothing ends: the entries come from the same database, so that
   * nothing is told either.
   */
  async #ask(streams: ReadonlyMap<StreamListener, CallerNow>): Promise<void> {
    const [ask] = streams.values();
    try {
      await ask?.();
    } catch (error) {
      if (toFailure(error).code === 'unavailable') return;
      for (const listener of streams.keys()) listener.reset('access');
    }
  }
}

const credentialsOf = ({ headers }: FastifyRequest): string =>
  JSON.stringify([headers['x-service-key'], headers['x-service-name'], headers.authorization]);
