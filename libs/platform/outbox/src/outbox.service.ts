import { randomInt } from 'node:crypto';

import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable, type OnModuleInit } from '@nestjs/common';

import { MasterKey, uuidV7 } from '#libs/platform/crypto';
import { ReplicaNotifications, Sql, Sweeper } from '#libs/platform/database';
import { PersonalData } from '#libs/platform/personal-data';

import { OutboxRoom } from './outbox-room.js';
import { exportOf, insertEntry, listEntries, retryFailed } from './outbox.sql.js';

/** What is to be told outside. The payload may hold secrets: it is sealed at rest. */
export type OutboxMessage = {
  readonly kind: string;
  readonly payload: unknown;
  /** Whom it is about; what waits is erased with the user. */
  readonly userId: string | undefined;
};

/** An entry as operators see it, with its payload opened. */
export type ListedEntry = {
  readonly id: string;
  readonly status: 'waiting' | 'failed';
  readonly attempts: number;
  readonly lastError: string | null;
  readonly userId: string | null;
  readonly createdAt: string;
  readonly dueAt: string;
  readonly payload: unknown;
};

type ListedRow = Omit<ListedEntry, 'payload'> & { readonly payload: Uint8Array };

export const topic = 'outbox';
/** Within this time what strangers ask for is handed over. */
const spreadMs = 1_000;

/** The one durable queue of what is told to others: mail, and what comes. */
@Injectable()
export class OutboxService implements OnModuleInit {
  readonly #room = new OutboxRoom();

  constructor(
    private readonly sql: Sql,
    private readonly masterKey: MasterKey,
    private readonly notifications: ReplicaNotifications,
    private readonly personalData: PersonalData,
    private readonly sweeper: Sweeper,
  ) {}

  onModuleInit(): void {
    // what could not be sent stays visible for a month, so that somebody can see why
    this.sweeper.registerRetention({
      table: 'outbox',
      condition: "failed_at < now() - interval '30 days'",
      values: [],
    });
    const rowsOf = (userId: string): Promise<Record<string, unknown>[]> => this.sql.rows(exportOf, [userId]);
    this.personalData.register({
      name: 'outgoing',
      references: ['outbox.user_id'],
      export: async function* exportWaiting(userId) {
        yield* await rowsOf(userId);
      },
      erase: async (em, userId) => void (await em.execute('delete from outbox where user_id = ?', [userId])),
    });
  }

  /** Writes it into the transaction of its cause: both happen or neither does. @returns its id */
  add(em: SqlEntityManager, message: OutboxMessage): Promise<string> {
    return this.#write(em, message, 0);
  }

  /**
   * As `add`, for what anybody may ask for. A flood of it must not grow the table without end, and
   * it is handed over after a random part of a second: whoever asks once more at once must not feel
   * whether the first request has led to anything.
   * @throws AppError `unavailable` when 100,000 entries wait
   */
  async addIfRoom(em: SqlEntityManager, message: OutboxMessage): Promise<string> {
    await this.#room.take(em);
    return this.#write(em, message, randomInt(spreadMs + 1));
  }

  /**
   * For a handler that writes something: the entry goes in the same transaction, so that the work
   * is done once although the entry may come twice. @returns whether it was still there
   */
  async finishWithin(em: SqlEntityManager, id: string): Promise<boolean> {
    return (await em.execute<unknown[]>('delete from outbox where id = ? returning 1', [id])).length > 0;
  }

  /** What an `outboxInsert` takes. */
  valuesOf({ kind, payload }: Omit<OutboxMessage, 'userId'>): readonly [id: string, kind: string, payload: Buffer] {
    const id = uuidV7();
    return [id, kind, this.masterKey.seal(Buffer.from(JSON.stringify(payload)), contextOf(id))];
  }

  /** @throws WrongMasterKeyError */
  open(id: string, sealed: Uint8Array): unknown {
    return JSON.parse(this.masterKey.open(Buffer.from(sealed), contextOf(id)).toString('utf8'));
  }

  /** What waits or was given up, those first; at most `limit`. */
  async list(kind: string, limit: number): Promise<readonly ListedEntry[]> {
    const rows = await this.sql.rows<ListedRow>(listEntries, [kind, limit]);
    return rows.map((row) => Object.assign(row, { payload: this.open(row.id, row.payload) }));
  }

  /** Makes what was given up due again: one, or all. @returns how many */
  async retry(kind: string, id?: string): Promise<number> {
    return (await this.sql.row<{ count: number }>(retryFailed, [kind, id ?? null]))?.count ?? 0;
  }

  async #write(em: SqlEntityManager, { userId, ...message }: OutboxMessage, delayMs: number): Promise<string> {
    const [id, ...rest] = this.valuesOf(message);
    await em.execute(insertEntry, [id, ...rest, userId ?? null, delayMs / 1_000]);
    await this.notifications.publish(em, topic, String(delayMs));
    return id;
  }
}

const contextOf = (id: string): string => `outbox:${id}`;
