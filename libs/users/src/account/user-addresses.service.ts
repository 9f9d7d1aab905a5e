import { SqlEntityManager } from '@mikro-orm/sql';
import { Inject, Injectable } from '@nestjs/common';

import { languageOf, type RequestSource } from '#libs/platform/access';
import { type Config, CONFIG } from '#libs/platform/config';
import { toEmailKey } from '#libs/platform/contract';
import { AppError } from '#libs/platform/errors';
import { type OutboxMessage, OutboxService } from '#libs/platform/outbox';

import { AddressProofs } from './address-proofs.js';
import { type EmailVerification, emailVerificationKind } from './email-verification.js';
import { type User, UserEntity } from './user.entity.js';
import { rethrowTaken } from './user-keys.js';
import { UsersRepository } from './users.repository.js';

/** An address alone may be anybody's: who it is about is not known yet. */
const entryOf = (wanted: EmailVerification): OutboxMessage => ({
  kind: emailVerificationKind,
  payload: wanted,
  userId: wanted.email === undefined ? wanted.userId : undefined,
});

type Addresses = Pick<User, 'email' | 'emailKey' | 'emailVerified' | 'pendingEmail'>;

/**
 * The address of an account, and the one that waits. While mail is on, an address that is given
 * later than the account counts when it is confirmed: nobody holds one that they do not read.
 */
@Injectable()
export class UserAddresses {
  constructor(
    private readonly em: SqlEntityManager,
    private readonly users: UsersRepository,
    private readonly outbox: OutboxService,
    private readonly proofs: AddressProofs,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * Asks for a mail for whoever asks for it; nothing while mail is off.
   * @throws AppError `unavailable` when too much waits
   */
  async requestProof(em: SqlEntityManager, wanted: EmailVerification): Promise<void> {
    if (this.config.MAIL === 'off') return;
    await this.outbox.addIfRoom(em, entryOf(wanted));
  }

  /** The user whose address is meant, as far as it can be told without a lock. */
  async findOwner({ email, userId }: EmailVerification): Promise<string | undefined> {
    if (email === undefined) return userId;
    const emailKey = toEmailKey(email);
    const own = userId === undefined ? undefined : await this.users.findById(userId);
    const addresses = [own?.email, own?.pending_email];
    if (addresses.some((address) => typeof address === 'string' && toEmailKey(address) === emailKey)) return userId;
    return (await this.users.findCredentials({ emailKey }))?.id;
  }

  /**
   * Work with an active user who is locked, in a transaction. Take the user's turn before.
   * @returns nothing when there is no such user
   */
  withActive<T>(userId: string, work: (em: SqlEntityManager, user: User) => Promise<T>): Promise<T | undefined> {
    return this.em.fork().transactional(async (em) => {
      const user = await this.users.findActiveForUpdate(em, userId);
      return user ? await work(em, user) : undefined;
    });
  }

  /** Asks for a mail to the address of an account that is made, if it has one. */
  async welcome(em: SqlEntityManager, user: User, source: RequestSource): Promise<void> {
    if (typeof user.email === 'string') await this.#requestFor(em, user, user.email, source);
  }

  /**
   * Changes the address of a user who is locked, or what waits. Null takes both away; the present
   * address takes away what waits.
   * @returns the names of the fields that it changes
   * @throws AppError `email-taken`
   */
  async change(em: SqlEntityManager, user: User, email: string | null, source: RequestSource): Promise<string[]> {
    const after = addressesAfter(user, email, this.config.MAIL);
    const { pendingEmail } = after;
    const isNew = typeof pendingEmail === 'string';
    if (isNew) await this.#assertFree(em, pendingEmail);
    const fields = namesOf(user, after);
    await this.#set(em, user, after, languageOf(user.id, source));
    if (isNew) await this.#requestFor(em, user, pendingEmail, source);
    return fields;
  }

  /**
   * Takes it as proved that a user who is locked reads the mail of an address. What waits becomes
   * the address.
   * @returns names of the fields that it changes; nothing when the address is the user's no more
   * @throws AppError `email-taken` when somebody else was faster
   */
  async confirm(
    em: SqlEntityManager,
    user: User,
    emailKey: string,
    source: RequestSource,
  ): Promise<readonly string[] | undefined> {
    if (user.emailKey === emailKey) {
      user.emailVerified = true;
      await em.flush();
      return ['emailVerified'];
    }
    const { pendingEmail: email } = user;
    if (typeof email !== 'string' || toEmailKey(email) !== emailKey) return undefined;
    const after = { email, emailKey, emailVerified: true, pendingEmail: null };
    await this.#set(em, user, after, languageOf(user.id, source));
    await em.flush().catch(rethrowTaken);
    return ['email', 'emailVerified', 'pendingEmail'];
  }

  async #set(em: SqlEntityManager, user: User, after: Addresses, acceptLanguage: string | undefined): Promise<void> {
    const { email, emailKey } = user;
    Object.assign(user, after);
    if ((emailKey ?? null) === (after.emailKey ?? null)) return;
    await this.proofs.endAll(em, [user.id]);
    if (typeof email === 'string') await this.proofs.tellFormer(em, { user, email, acceptLanguage });
  }

  async #requestFor(em: SqlEntityManager, { id }: User, email: string, source: RequestSource): Promise<void> {
    if (this.config.MAIL === 'off') return;
    await this.outbox.add(em, entryOf({ email, userId: id, acceptLanguage: languageOf(id, source) }));
  }

  /** A hint for whoever asks: the unique constraint decides when the address is confirmed. */
  async #assertFree(em: SqlEntityManager, email: string): Promise<void> {
    if ((await em.count(UserEntity, { emailKey: toEmailKey(email) })) > 0) throw new AppError('email-taken');
  }
}

function addressesAfter(user: User, email: string | null, mail: Config['MAIL']): Addresses {
  if (email === null) return { email, emailKey: null, emailVerified: false, pendingEmail: null };
  const emailKey = toEmailKey(email);
  // the same address, perhaps in another spelling
  if (emailKey === user.emailKey) return { email, emailKey, emailVerified: user.emailVerified, pendingEmail: null };
  if (mail === 'off') return { email, emailKey, emailVerified: false, pendingEmail: null };
  return { email: user.email, emailKey: user.emailKey, emailVerified: user.emailVerified, pendingEmail: email };
}

const namesOf = (before: Addresses, after: Addresses): string[] =>
  (['email', 'pendingEmail'] as const).filter((name) => (before[name] ?? null) !== (after[name] ?? null));
