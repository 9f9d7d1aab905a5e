import { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable, type OnModuleInit } from '@nestjs/common';

import { toEmailKey } from '#libs/platform/contract';
import { rfc3339Sql, Sql, type Statement, Sweeper } from '#libs/platform/database';

import { UndeliverableAddressEntity } from './undeliverable-address.entity.js';

/** Why nothing is sent to an address, and since when. */
export type Mark = { readonly reason: string; readonly since: string };

/** A mailbox that was refused may be there again after a month. */
const lifetime = "interval '30 days'";

const markOf: Statement = {
  name: 'undeliverable-address',
  text: `select reason, ${rfc3339Sql('created_at')} as since from undeliverable_addresses
    where email_key = $1 and created_at > now() - ${lifetime}`,
};

/** Addresses that mail is not sent to for now, by the key by which users are found. */
@Injectable()
export class UndeliverableAddressesRepository implements OnModuleInit {
  constructor(
    private readonly sql: Sql,
    private readonly em: SqlEntityManager,
    private readonly sweeper: Sweeper,
  ) {}

  onModuleInit(): void {
    this.sweeper.registerRetention({
      table: 'undeliverable_addresses',
      key: 'email_key',
      condition: `created_at < now() - ${lifetime}`,
      values: [],
    });
  }

  find(email: string): Promise<Mark | undefined> {
    return this.sql.row(markOf, [toEmailKey(email)]);
  }

  /** The month begins anew for those that are marked already. @param reasons by key of address */
  async mark(em: SqlEntityManager, reasons: ReadonlyMap<string, string>): Promise<void> {
    if (reasons.size === 0) return;
    const createdAt = new Date();
    const marks = [...reasons].map(([emailKey, reason]) => ({ emailKey, reason, createdAt }));
    await em.upsertMany(UndeliverableAddressEntity, marks);
  }

  /** @param emailKeys of `toEmailKey` @returns how many were marked */
  async forget(emailKeys: readonly string[], em = this.em.fork()): Promise<number> {
    if (emailKeys.length === 0) return 0;
    return em.nativeDelete(UndeliverableAddressEntity, { emailKey: { $in: [...emailKeys] } });
  }
}
