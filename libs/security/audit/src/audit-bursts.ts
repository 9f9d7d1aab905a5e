import { type BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common';

import { callerName, isUser } from '#libs/platform/access';

import type { AuditEvent } from './audit-event.js';
import { type Actor, AuditTrail } from './audit-trail.js';

/** How long repetitions are counted before they become a row. */
const windowMs = 60_000;
/** So many bursts of a window get rows of their own; further ones share one for each event. */
const burstLimit = 500;

type Burst = { readonly event: AuditEvent; readonly source: Actor; readonly since: string; repeats: number };

/**
 * Records what strangers can cause as often as they like: the first event of a kind at once, its
 * repetitions within a minute as one more row with their number, so that nobody floods the trail.
 * A process that is killed loses the counts of its last minute.
 */
@Injectable()
export class AuditBursts implements BeforeApplicationShutdown {
  readonly #logger = new Logger('Audit');
  readonly #bursts = new Map<string, Burst>();
  #window: NodeJS.Timeout | undefined;

  constructor(private readonly trail: AuditTrail) {}

  async beforeApplicationShutdown(): Promise<void> {
    clearTimeout(this.#window);
    await this.#close();
  }

  /** @param kind what makes two events repetitions: their cause or their address */
  note(event: AuditEvent, kind: string, source: Actor): void {
    const key = this.#bursts.size < burstLimit ? `${event.event} ${kind}` : event.event;
    const known = this.#bursts.get(`${event.event} ${kind}`) ?? this.#bursts.get(key);
    if (known) {
      known.repeats++;
      return;
    }
    this.#bursts.set(key, { event, source, since: new Date().toISOString(), repeats: 0 });
    this.#window ??= setTimeout(() => void this.#close(), windowMs).unref();
    void this.#record(event, source);
  }

  /** Records that an administrator has read something; to read is what services are for. */
  noteRead(event: AuditEvent, source: Exclude<Actor, 'operator'>): void {
    if (isUser(source.caller)) this.note(event, `${callerName(source.caller)} ${event.userId ?? ''}`, source);
  }

  async #close(): Promise<void> {
    this.#window = undefined;
    const ended = [...this.#bursts.values()].filter(({ repeats }) => repeats > 0);
    this.#bursts.clear();
    for (const { event, source, since, repeats } of ended) {
      await this.#record({ ...event, details: { ...event.details, repeats, since } }, source);
    }
  }

  /** Never rejects: the request has its answer by now, and nobody waits for the row. */
  async #record(event: AuditEvent, source: Actor): Promise<void> {
    try {
      await this.trail.record(event, source);
    } catch (error) {
      this.#logger.warn({ err: error, event: `${event.event} could not be recorded` });
    }
  }
}
