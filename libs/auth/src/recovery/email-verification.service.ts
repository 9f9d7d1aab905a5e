import { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';

import { MailService } from '#libs/mail';
import { isUser, type RequestSource } from '#libs/platform/access';
import { AppError } from '#libs/platform/errors';
import { AuditTrail } from '#libs/security/audit';
import { UserAddresses, UserTurns } from '#libs/users';

import type { ConfirmEmail, RequestVerification } from './email-verification.schema.js';
import { OneTimeTokensRepository, type Proof, type Proven } from './one-time-tokens.repository.js';

const purpose = 'email-verification';

/** Asks for mail by which people confirm an address, and takes what comes back (ADR 29). */
@Injectable()
export class EmailVerificationService {
  constructor(
    private readonly em: SqlEntityManager,
    private readonly addresses: UserAddresses,
    private readonly turns: UserTurns,
    private readonly tokens: OneTimeTokensRepository,
    private readonly audit: AuditTrail,
    private readonly mail: MailService,
  ) {}

  /**
   * One entry of the outbox, whatever is so: whether there is such a user, and whether there is
   * something to confirm, is looked up when it is delivered.
   * @throws AppError `mail-off`, `invalid-request`
   */
  async request({ email }: RequestVerification, { caller, acceptLanguage }: RequestSource): Promise<void> {
    this.#assertMailOn();
    const userId = isUser(caller) ? caller.userId : undefined;
    if (email === undefined && userId === undefined) {
      const message = 'is required of whoever is not signed in';
      throw new AppError('invalid-request', { errors: [{ path: 'email', message, code: 'required' }] });
    }
    const language = caller.kind === 'service' ? undefined : acceptLanguage;
    const wanted = { email, userId, acceptLanguage: language };
    await this.em.fork().transactional((em) => this.addresses.requestProof(em, wanted));
  }

  /**
   * Uses a link or a code; signs nobody in. Of uses at once one is good.
   * @throws AppError `mail-off`, `invalid-confirmation`; `email-taken` when another user has got the
   * address meanwhile
   */
  async confirm(given: ConfirmEmail, source: RequestSource): Promise<void> {
    this.#assertMailOn();
    const proof = proofOf(given);
    const proven = await this.tokens.find(purpose, proof);
    const isDone = proven && (await this.turns.take(proven.userId, () => this.#useOnce(proven, proof, source)));
    if (isDone) return;
    if ('code' in proof) await this.#refuseCode(proof.email, source);
    throw new AppError('invalid-confirmation');
  }

  /** Of many at once all but one find it used after their turn has come: that costs a look-up. */
  async #useOnce(proven: Proven, proof: Proof, source: RequestSource): Promise<boolean | undefined> {
    return (await this.tokens.find(purpose, proof)) ? this.#use(proven, source) : undefined;
  }

  /** @returns nothing when it was used meanwhile, or the address is not the user's any more */
  #use(proven: Proven, source: RequestSource): Promise<boolean | undefined> {
    const { userId, emailKey } = proven;
    return this.addresses.withActive(userId, async (em, user) => {
      if (!(await this.tokens.use(em, proven))) return false;
      const fields = await this.addresses.confirm(em, user, emailKey, source);
      if (!fields) return false;
      await this.audit.record({ event: 'email-verified', userId, details: { fields } }, source, em);
      return true;
    });
  }

  /** One row whether the address is somebody's or not: both cost a commit. */
  async #refuseCode(email: string, source: RequestSource): Promise<void> {
    await this.em.fork().transactional(async (em) => {
      await this.tokens.countWrongCode(em, purpose, email);
      await this.audit.record({ event: 'one-time-code-refused', details: { purpose } }, source, em);
    });
  }

  #assertMailOn(): void {
    if (!this.mail.isOn) throw new AppError('mail-off');
  }
}

/** The schema has made sure that there is one of both. */
const proofOf = ({ token, email = '', code = '' }: ConfirmEmail): Proof =>
  token === undefined ? { email, code } : { token };
