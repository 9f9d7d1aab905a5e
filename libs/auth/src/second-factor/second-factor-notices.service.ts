import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';

import { MailService } from '#libs/mail';
import { languageOf } from '#libs/platform/access';
import { type Actor, type AuditEvent, AuditTrail } from '#libs/security/audit';

import { addressee } from './second-factors.sql.js';

type Addressee = { readonly email: string | null; readonly firstName: string; readonly locale: string | null };

/** A change of a user's second factor. */
export type FactorChange = Pick<AuditEvent, 'event' | 'details'> & { readonly userId: string };

/** Records changes of second factors, and tells their owners. */
@Injectable()
export class SecondFactorNotices {
  constructor(
    private readonly trail: AuditTrail,
    private readonly mail: MailService,
  ) {}

  /** In the transaction of the change. */
  async add(em: SqlEntityManager, change: FactorChange, by: Actor): Promise<void> {
    await this.trail.record(change, by, em);
    const { userId } = change;
    const [owner] = await em.execute<Addressee[]>(addressee, [userId]);
    if (!owner?.email) return;
    const time = new Date().toISOString();
    const { email: to, firstName, locale } = owner;
    const wishes = { locale, acceptLanguage: by === 'operator' ? undefined : languageOf(userId, by) };
    await this.mail.add(em, { kind: 'second-factor-changed', to, userId, variables: { firstName, time }, ...wishes });
  }
}
