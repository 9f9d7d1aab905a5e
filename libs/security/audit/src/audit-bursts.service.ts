import { type BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common';

import { callerName, isUser } from '#libs/platform/access';

import type { AuditEvent } from './audit-event.js';
import { type AuditOrigin, AuditTrail } from './audit-trail.service.js';

/** How long repetitions are counted before they become a row. */
const windowMs = 60_000;
/** Bursts of one window that have rows of their own; the rest of an event shares one, so that nobody floods the trail. */
const burstLimit = 500;

type Burst = { readonly event: AuditEvent; readonly origin: AuditOrigin; readonly since: string; repeats: number };

/**
 * Records what strangers can cause as often as they like: the first of its kind at once, what repeats it within a
 * minute as one more row with their number. A process that is killed loses the counts of its last minute.
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

  /** @param kind what makes two events the same: who caused them, or from where */
  note(event: AuditEvent, kind: string, origin: AuditOrigin): void {
    const key = this.#bursts.size < burstLimit ? `${event.event} ${kind}` : event.event;
    const known = this.#bursts.get(`${event.event} ${kind}`) ?? this.#bursts.get(key);
    if (known) {
      known.repeats++;
      return;
    }
    this.#bursts.set(key, { event, origin, since: new Date().toISOString(), repeats: 0 });
    this.#window ??= setTimeout(() => void this.#close(), windowMs).unref();
    void this.#record(event, origin);
  }

  /** What an administrator looks at; services read as they are meant to. */
  noteRead(event: AuditEvent, origin: Exclude<AuditOrigin, 'operator'>): void {
    if (isUser(origin.caller)) this.note(event, `${callerName(origin.caller)} ${event.userId ?? ''}`, origin);
  }

  async #close(): Promise<void> {
    this.#window = undefined;
    const ended = [...this.#bursts.values()].filter(({ repeats }) => repeats > 0);
    this.#bursts.clear();
    for (const { event, origin, since, repeats } of ended) {
      await this.#record({ ...event, details: { ...event.details, repeats, since } }, origin);
    }
  }

  /** The request that it is about has its answer by now: a row that cannot be written must not end the process. */
  async #record(event: AuditEvent, origin: AuditOrigin): Promise<void> {
    try {
      await this.trail.record(event, origin);
    } catch (error) {
      this.#logger.warn({ err: error, event: `${event.event} could not be recorded` });
    }
  }
}
