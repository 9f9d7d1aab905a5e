import type { SqlEntityManager } from '@mikro-orm/sql';
import { Inject, Injectable } from '@nestjs/common';

import { isAdmin, type Principal, type RequestSource } from '#libs/platform/access';
import { type Config, CONFIG } from '#libs/platform/config';
import { AppError } from '#libs/platform/errors';

import { ProfileSchemas } from '../profile/profile-schemas.js';
import { assertMayCreate } from './user-access.js';
import { UserAddresses } from './user-addresses.service.js';
import type { User } from './user.entity.js';
import type { CreateUser } from './users.schema.js';

/** What the operator's settings say about new accounts. */
@Injectable()
export class NewAccountRules {
  constructor(
    private readonly schemas: ProfileSchemas,
    private readonly addresses: UserAddresses,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * With the empty object: whether the caller may register anybody at all.
   * @throws AppError `registration-closed`, `forbidden`, `fresh-authentication-required`
   */
  assertMayCreate(input: Partial<Pick<CreateUser, 'roles' | 'metadata'>>, caller: Principal): void {
    assertMayCreate(input, caller, this.config.REGISTRATION);
  }

  /**
   * An absent object is not written, and so not checked. Whoever registers needs an address when
   * only a confirmed one lets in.
   * @throws AppError `invalid-request`, `profile-too-large`
   */
  assertFit({ email, profile, metadata }: Pick<CreateUser, 'email' | 'profile' | 'metadata'>, caller: Principal): void {
    if (this.config.EMAIL_VERIFICATION === 'login' && typeof email !== 'string' && !isTrusted(caller)) {
      const message = 'is required: it must be confirmed before the first login';
      throw new AppError('invalid-request', { errors: [{ path: 'email', message, code: 'required' }] });
    }
    this.schemas.assertSize(profile ?? {}, metadata ?? {});
    this.schemas.assertFit({ profile, metadata });
  }

  /** Has the address of a new account confirmed. */
  welcome(em: SqlEntityManager, user: User, source: RequestSource): Promise<void> {
    return this.addresses.welcome(em, user, source);
  }
}

/** Makes accounts for others, who may have no address at all. */
const isTrusted = (caller: Principal): boolean => isAdmin(caller) || caller.kind === 'service';
