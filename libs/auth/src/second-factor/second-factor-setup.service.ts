import { SqlEntityManager } from '@mikro-orm/sql';
import { Inject, Injectable } from '@nestjs/common';

import { isUser, type Principal, type RequestSource, type UserPrincipal } from '#libs/platform/access';
import { type Config, CONFIG } from '#libs/platform/config';
import { AppError } from '#libs/platform/errors';
import { UsersRepository } from '#libs/users';

import { keyUri, toQrCode } from './key-uri.js';
import { SecondFactorNotices } from './second-factor-notices.service.js';
import type { RecoveryCodes, SecondFactorView, StartedTotp } from './second-factor.schema.js';
import { SecondFactorsRepository } from './second-factors.repository.js';
import { toBase32 } from './totp.js';
import { readTypedCode } from './typed-code.js';

/** What users do with their own second factor. */
@Injectable()
export class SecondFactorSetupService {
  constructor(
    private readonly em: SqlEntityManager,
    private readonly factors: SecondFactorsRepository,
    private readonly notices: SecondFactorNotices,
    private readonly users: UsersRepository,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** What is on. @throws AppError `forbidden` for a service */
  view(caller: Principal): Promise<SecondFactorView> {
    return this.factors.list(asOwner(caller).userId);
  }

  /**
   * Begins with a new secret; it does nothing before it is confirmed.
   * @throws AppError `forbidden` for a service, `second-factor-exists`
   */
  async startTotp(caller: Principal): Promise<StartedTotp> {
    const { userId } = asOwner(caller);
    const owner = await this.users.findById(userId);
    if (!owner) throw new AppError('invalid-token');
    const secret = await this.#change(userId, (em) => this.factors.begin(em, userId));
    if (!secret) throw new AppError('second-factor-exists');
    const uri = keyUri(secret, { publicUrl: this.config.PUBLIC_URL, userName: owner.user_name });
    return { secret: toBase32(secret), uri, qr: await toQrCode(uri) };
  }

  /**
   * Turns the second factor on. The session that asks has shown it.
   * @returns the recovery codes, which are shown this once
   * @throws AppError `forbidden` for a service, `wrong-code`, `second-factor-exists`;
   * `second-factor-not-found` when none was begun within the hour
   */
  confirmTotp(code: string, source: RequestSource): Promise<RecoveryCodes> {
    const { userId, sessionId } = asOwner(source.caller);
    return this.#change(userId, async (em) => {
      const outcome = await this.factors.confirm(em, userId, readTypedCode(code).code);
      if (outcome !== 'confirmed') throw new AppError(outcome);
      await this.factors.markSession(em, sessionId, userId);
      await this.notices.add(em, { event: 'second-factor-added', userId, details: { kind: 'totp' } }, source);
      return { recoveryCodes: await this.factors.renewCodes(em, userId) };
    });
  }

  /** @throws AppError `forbidden` for a service, `second-factor-not-found` */
  renewRecoveryCodes(source: RequestSource): Promise<RecoveryCodes> {
    const { userId } = asOwner(source.caller);
    return this.#change(userId, async (em) => {
      if (!(await this.factors.lockConfirmed(em, userId))) throw new AppError('second-factor-not-found');
      await this.notices.add(em, { event: 'recovery-codes-renewed', userId }, source);
      return { recoveryCodes: await this.factors.renewCodes(em, userId) };
    });
  }

  #change<T>(userId: string, work: (em: SqlEntityManager) => Promise<T>): Promise<T> {
    return this.users.turns.take(userId, () => this.em.fork().transactional(work));
  }
}

function asOwner(caller: Principal): UserPrincipal {
  if (!isUser(caller)) throw new AppError('forbidden', { detail: 'Only a signed-in user has a second factor.' });
  return caller;
}
