import { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';

import { isUser, type RequestSource } from '#libs/platform/access';
import { AppError } from '#libs/platform/errors';
import { AuditTrail } from '#libs/security/audit';
import { UserAddresses, UserTurns } from '#libs/users';

import type { ConfirmEmail, RequestVerification } from './email-verification.schema.js';
import { OneTimeProofs } from './one-time-proofs.js';
import { OneTimeTokensRepository, type Proven } from './one-time-tokens.repository.js';

const purpose = 'email-verification';

/** Asks for mail by which people confirm an address, and takes what comes back (ADR 29). */
@Injectable()
export class EmailVerificationService {
  /** By the id of the link and code that are being used. */
  readonly #running = new Map<string, Promise<boolean | undefined>>();

  constructor(
    private readonly em: SqlEntityManager,
    private readonly addresses: UserAddresses,
    private readonly turns: UserTurns,
    private readonly proofs: OneTimeProofs,
    private readonly tokens: OneTimeTokensRepository,
    private readonly audit: AuditTrail,
  ) {}

  /**
   * One entry of the outbox, whatever is so: whether there is such a user, and whether there is
   * something to confirm, is looked up when it is delivered.
   * @throws AppError `mail-off`, `invalid-request`
   */
  async request({ email }: RequestVerification, { caller, acceptLanguage }: RequestSource): Promise<void> {
    this.proofs.assertMailOn();
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
   * @throws AppError `mail-off`, `invalid-confirmation`; `email-taken` when another user has got
   * the address meanwhile
   */
  async confirm(proof: ConfirmEmail, source: RequestSource): Promise<void> {
    const proven = await this.proofs.find(purpose, proof, source);
    if (!(await this.#useOnce(proven, source))) await this.proofs.refuse(purpose, proof, source);
  }

  /**
   * Of uses at once each replica tries one. The others wait for what comes of it, not for their
   * turn with the user: it would come too late for the last of many.
   */
  async #useOnce(proven: Proven, source: RequestSource): Promise<boolean | undefined> {
    const running = this.#running.get(proven.id);
    if (running) {
      await running;
      return false;
    }
    const use = this.turns
      .take(proven.userId, () => this.#use(proven, source))
      .finally(() => this.#running.delete(proven.id));
    this.#running.set(proven.id, use);
    return use;
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
}
