import { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable, type OnModuleInit } from '@nestjs/common';

import type { TimePosition } from '#libs/platform/contract';
import { digestBytes } from '#libs/platform/crypto';
import { Sql, Sweeper } from '#libs/platform/database';

import type { InvitationView } from './invitations.schema.js';
import { deleteOpen, expired, openByToken, insertInvitation, openById, openPage, takeAll } from './invitations.sql.js';

/** What an account will be made of. */
export type OpenInvitation = Omit<InvitationView, 'createdAt' | 'expiresAt'>;

export type NewInvitation = OpenInvitation & { readonly emailKey: string; readonly token: string };

type InSameTransaction<Row> = (em: SqlEntityManager, row: Row) => Promise<void>;

/** The rows of invitations. One that has expired is none, also while it waits to be swept. */
@Injectable()
export class InvitationsRepository implements OnModuleInit {
  constructor(
    private readonly sql: Sql,
    private readonly em: SqlEntityManager,
    private readonly sweeper: Sweeper,
  ) {}

  onModuleInit(): void {
    this.sweeper.registerRetention({ table: 'invitations', condition: expired, values: [] });
  }

  /** Calls `inSameTransaction` for what belongs to it; all or nothing. */
  insert(
    { id, email, emailKey, roles, firstName, lastName, token }: NewInvitation,
    inSameTransaction: InSameTransaction<InvitationView>,
  ): Promise<InvitationView> {
    return this.em.fork().transactional(async (em) => {
      const values = [id, email, emailKey, roles.join(' '), firstName, lastName, digestBytes(token)];
      const [made] = await em.execute<InvitationView[]>(insertInvitation, values);
      if (!made) throw new Error('The invitation was not inserted');
      await inSameTransaction(em, made);
      return made;
    });
  }

  /** Newest first. */
  findPage(limit: number, after: TimePosition | undefined): Promise<InvitationView[]> {
    return this.sql.rows(openPage, [limit, ...(after ?? [null, null])]);
  }

  find(id: string): Promise<InvitationView | undefined> {
    return this.sql.row(openById, [id]);
  }

  /** What a token stands for now; it stays good. */
  findByToken(token: string): Promise<OpenInvitation | undefined> {
    return this.sql.row(openByToken, [digestBytes(token)]);
  }

  /**
   * Uses a token up, and with it all others that went to the same address: a link that lies about
   * must not make a second account when the first one is gone.
   * @returns whether it was still good; of uses at once one finds that
   */
  async take(em: SqlEntityManager, token: string): Promise<boolean> {
    const [row] = await em.execute<{ isTaken: boolean }[]>(takeAll, [digestBytes(token), digestBytes(token)]);
    return row?.isTaken === true;
  }

  /** @returns whether there was one; `inSameTransaction` is called only then */
  delete(id: string, inSameTransaction: (em: SqlEntityManager) => Promise<void>): Promise<boolean> {
    return this.em.fork().transactional(async (em) => {
      const gone = await em.execute<unknown[]>(deleteOpen, [id]);
      if (gone.length === 0) return false;
      await inSameTransaction(em);
      return true;
    });
  }
}
