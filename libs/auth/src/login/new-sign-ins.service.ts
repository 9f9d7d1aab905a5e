import { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { z } from 'zod';

import { MailService } from '#libs/mail';
import type { RequestSource } from '#libs/platform/access';
import { Sql, type Statement } from '#libs/platform/database';
import { OutboxSender, OutboxService } from '#libs/platform/outbox';

import { describeDevice } from './describe-device.js';
import type { LoginAttempt } from './login-attempts.repository.js';

/** The kind of entry in the outbox. */
const kind = 'new-sign-in';

const newSignInSchema = z.object({
  userId: z.uuid(),
  sessionId: z.uuid(),
  time: z.string(),
  ip: z.string(),
  userAgent: z.string().nullable(),
});
type NewSignIn = z.infer<typeof newSignInSchema>;

type Addressee = { readonly email: string; readonly firstName: string; readonly locale: unknown };

/**
 * Whom to tell: nobody who has just registered, and nobody who has an older session of the same
 * program at the same address. `$2` is the new session, and ids tell which one is older: of two
 * strangers at once, one cannot hide the other.
 */
const findAddressee: Statement = {
  name: 'new-sign-in-addressee',
  text: `select email, first_name as "firstName", profile -> 'locale' as locale from users u
    where id = $1 and status = 'active' and email is not null and created_at < now() - interval '1 hour'
      and not exists (select from sessions s where s.user_id = u.id and s.id < $2 and s.generation = u.session_generation
        and s.ip = $3 and s.user_agent is not distinct from $4)`,
};

/** Tells people by mail when somebody signs in from a device that their account does not know. */
@Injectable()
export class NewSignIns implements OnModuleInit {
  constructor(
    private readonly mail: MailService,
    private readonly outbox: OutboxService,
    private readonly sender: OutboxSender,
    private readonly sql: Sql,
    private readonly em: SqlEntityManager,
  ) {}

  onModuleInit(): void {
    if (!this.mail.isOn) return;
    this.sender.register(kind, (payload, id) => this.#deliver(newSignInSchema.parse(payload), id));
  }

  /** For a statement that begins the session; nothing while mail is off, or of a known device. */
  valuesOf(
    session: Pick<NewSignIn, 'userId' | 'sessionId'>,
    attempt: LoginAttempt,
    source: RequestSource,
  ): readonly unknown[] | undefined {
    return this.#isToldOf(attempt) ? this.outbox.valuesOf({ kind, payload: toPayload(session, source) }) : undefined;
  }

  /** Call it after such a statement. */
  wake(): void {
    this.sender.wake();
  }

  /** The same for a transaction. */
  async addWithin(
    em: SqlEntityManager,
    session: Pick<NewSignIn, 'userId' | 'sessionId'>,
    attempt: LoginAttempt,
    source: RequestSource,
  ): Promise<void> {
    if (!this.#isToldOf(attempt)) return;
    await this.outbox.add(em, { kind, payload: toPayload(session, source), userId: session.userId });
  }

  /** A device without the cookie of the account counts with all other strangers to it. */
  #isToldOf({ account }: LoginAttempt): boolean {
    return this.mail.isOn && account !== null;
  }

  async #deliver({ userId, sessionId, time, ip, userAgent }: NewSignIn, id: string): Promise<void> {
    const addressee = await this.sql.row<Addressee>(findAddressee, [userId, sessionId, ip, userAgent]);
    if (!addressee) return;
    const { email: to, firstName, locale } = addressee;
    const variables = { firstName, time, ip, device: describeDevice(userAgent) };
    await this.em.fork().transactional(async (em) => {
      if (!(await this.outbox.finishWithin(em, id))) return;
      await this.mail.add(em, { kind: 'new-sign-in', to, userId, locale, variables });
    });
  }
}

function toPayload(
  { userId, sessionId }: Pick<NewSignIn, 'userId' | 'sessionId'>,
  { ip, userAgent }: RequestSource,
): NewSignIn {
  const time = new Date().toISOString();
  return { userId, sessionId, time, ip, userAgent: userAgent ?? null };
}
