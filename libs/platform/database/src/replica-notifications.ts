import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

import type { SqlEntityManager } from '@mikro-orm/sql';
import { type BeforeApplicationShutdown, Inject, Injectable, Logger } from '@nestjs/common';
import type { Client } from 'pg';

import { type Config, CONFIG, isEmbedded } from '#libs/platform/config';

import { ChangeView, type Subscriber } from './change-view.js';
import { listenerPlan } from './connection-plan.js';
import { DatabaseClock } from './database-clock.js';
import { DeafConnectionError, ListeningProof } from './listening-proof.js';
import { OwnNotices } from './own-notices.js';
import { Sql } from './sql.js';

const channel = 'gatehouse';
const heartbeatMs = 100;
const deadAfterMs = 3_000;
const deafAfterMs = 2_000;
const retryMs = 200;
const propagationMs = 20;
/** A replica that has not heard itself for so long is known as stale. */
const ownNoticeMs = 250;
/** Before the id of a notice to oneself; the proofs of hearing have ids alone. */
const toOneself = 'own ';

/**
 * What also tells that a pooler gives each statement another session, and what time it is there.
 */
const heartbeat = 'select pg_backend_pid() as pid, extract(epoch from clock_timestamp())::float8 * 1000 as now_ms';

/**
 * Tells every replica of changes within milliseconds over PostgreSQL's LISTEN/NOTIFY, and knows
 * when it cannot: a heartbeat every 100 ms on the listening connection itself proves that it lives,
 * a beat every second over the pool that it hears. With the embedded database there is one process,
 * which knows of its own changes without it.
 */
@Injectable()
export class ReplicaNotifications implements BeforeApplicationShutdown {
  readonly #logger = new Logger('ReplicaNotifications');
  readonly #views = new Map<string, ChangeView>();
  readonly #stopping = new AbortController();
  readonly #own = new OwnNotices();
  /** Those whose transaction has something to tell with its commit, and their notice to oneself. */
  readonly #published = new WeakMap<SqlEntityManager, string>();
  readonly #proof: ListeningProof;
  /** What was last said to be wrong, so that it is said once. */
  #said: string | undefined;
  #heardAt = -Infinity;
  #started: Promise<void> | undefined;
  #loop: Promise<void> | undefined;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    sql: Sql,
    private readonly clock: DatabaseClock,
  ) {
    this.#proof = new ListeningProof(sql);
  }

  /** Whether there can be no other replica: the embedded database has one process. */
  get isEmbedded(): boolean {
    return isEmbedded(this.config);
  }

  /**
   * Milliseconds since the listening connection was last known to hear; 0 with the embedded
   * database.
   */
  get staleMs(): number {
    return this.isEmbedded ? 0 : Math.max(performance.now() - this.#heardAt, this.#proof.unheardMs);
  }

  /** Register every subscriber before `start`. @returns how old what it knows is */
  subscribe(topic: string, subscriber: Subscriber): ChangeView {
    const view = new ChangeView(topic, subscriber, () => this.staleMs, this.#stopping.signal);
    this.#views.set(topic, view);
    return view;
  }

  /** Sends with the commit of the transaction, or not at all. At most 8,000 bytes each. */
  async publish(em: SqlEntityManager, topic: string, ...payloads: readonly string[]): Promise<void> {
    if (this.isEmbedded || payloads.length === 0) return;
    const notices = payloads.map((payload) => [channel, `${topic} ${payload}`]);
    if (!this.#published.has(em)) {
      const id = randomUUID();
      this.#published.set(em, id);
      notices.push([this.#proof.channel, toOneself + id]);
    }
    await em.execute(`select ${notices.map(() => 'pg_notify(?, ?)').join(', ')}`, notices.flat());
  }

  /**
   * Call it after the commit: when the transaction of `em` has published something, whoever is
   * answered afterwards finds the change on every replica. A machine so busy that notices are late
   * is waited for.
   */
  async othersHaveHeardOf(em: SqlEntityManager): Promise<void> {
    const id = this.#published.get(em);
    if (id === undefined) return;
    if (this.staleMs < ownNoticeMs) await this.#own.cameBack(id, ownNoticeMs);
    await this.othersHaveHeard();
  }

  /**
   * Waits as long as a notice, or the news of a cut connection, takes to reach the other replicas
   * (7 ms at most in 213 cuts under load).
   */
  async othersHaveHeard(): Promise<void> {
    if (!this.isEmbedded) await sleep(propagationMs);
  }

  /**
   * Connects and has every subscriber catch up. @throws when the database does not answer,
   * DeafConnectionError
   */
  start(): Promise<void> {
    this.#started ??= this.isEmbedded
      ? this.#catchUp()
      : new Promise((resolve, reject) => {
          this.#loop = this.#run(resolve, reject);
        });
    return this.#started;
  }

  /** Before the database closes: a catch-up that is under way still needs it. */
  async beforeApplicationShutdown(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
    for (const view of this.#views.values()) await view.idle();
  }

  async #run(onReady: () => void, onFailure: (error: unknown) => void): Promise<void> {
    const { signal } = this.#stopping;
    let wasReady = false;
    const ready = (): void => {
      wasReady = true;
      onReady();
    };
    while (!signal.aborted) {
      try {
        await this.#listen(ready, signal);
      } catch (error) {
        if (signal.aborted) return;
        // a service that cannot start says so and ends; one that runs goes on trying
        if (!wasReady) return onFailure(error);
        this.#say(error);
      } finally {
        this.#heardAt = -Infinity;
      }
      await sleep(retryMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Once for each loss, and once more if the connection is back and found to be deaf. */
  #say(error: unknown): void {
    const event = error instanceof DeafConnectionError ? error.message : 'change feed lost';
    if (this.#said === event || (this.#said !== undefined && !(error instanceof DeafConnectionError))) return;
    this.#said = event;
    this.#logger.warn(error instanceof DeafConnectionError ? { event } : { err: error, event });
  }

  /** One connection from its start to its loss. */
  async #listen(onReady: () => void, signal: AbortSignal): Promise<never> {
    const { DatabaseClient } = await import('./database-client.js');
    const client = new DatabaseClient(listenerPlan(this.config), { query_timeout: deadAfterMs });
    // a lost connection may report more than one error, and one that nobody listens to would end
    // the process
    client.on('error', () => undefined);
    const lost = once(client, 'end', { signal }).then((): never => {
      throw new Error('the listening connection ended');
    });
    lost.catch(() => undefined);
    client.on('notification', ({ channel: heardOn, payload = '' }) => {
      if (heardOn !== this.#proof.channel) this.#dispatch(payload);
      else if (payload.startsWith(toOneself)) this.#own.hear(payload.slice(toOneself.length));
      else this.#proof.hear(payload);
    });
    const over = new AbortController();
    const ending = AbortSignal.any([signal, over.signal]);
    try {
      await client.connect();
      // listening comes before catching up, so that nothing falls between the two
      await client.query(`listen ${channel}`);
      await client.query(`listen ${this.#proof.channel}`);
      const session = await this.#ask(client);
      await Promise.race([lost, this.#proof.begin(deafAfterMs, ending)]);
      const listeningAt = performance.now();
      await this.#catchUp();
      this.#heardAt = listeningAt;
      this.#said = undefined;
      onReady();
      return await Promise.race([lost, this.#beat(client, session, ending), this.#proof.keepOn(deafAfterMs, ending)]);
    } finally {
      over.abort();
      client.removeAllListeners('notification');
      void client.end().catch(() => undefined);
    }
  }

  async #beat(client: Client, session: number, signal: AbortSignal): Promise<never> {
    for (;;) {
      const sentAt = performance.now();
      // a connection that swallows what it is sent never answers: the query's own time-out ends it
      if ((await this.#ask(client)) !== session) throw new DeafConnectionError();
      this.#heardAt = sentAt;
      await sleep(heartbeatMs, undefined, { signal });
    }
  }

  /** @returns which session of the server answers */
  async #ask(client: Client): Promise<number> {
    const sentAt = performance.now();
    const { rows } = await client.query<{ pid: number; now_ms: number }>(heartbeat);
    const { pid, now_ms: nowMs } = rows[0] ?? { pid: 0, now_ms: Number.NaN };
    this.clock.measured(nowMs, performance.now() - sentAt);
    return pid;
  }

  async #catchUp(): Promise<void> {
    await Promise.all([...this.#views.values()].map((view) => view.catchUp()));
  }

  #dispatch(message: string): void {
    const end = message.indexOf(' ');
    this.#views.get(message.slice(0, end))?.hear(message.slice(end + 1));
  }
}
