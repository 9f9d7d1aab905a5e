import { Inject, Injectable } from '@nestjs/common';

import type { Principal } from '#libs/platform/access';
import { type Config, CONFIG } from '#libs/platform/config';

import { ProfileSchemas } from '../profile/profile-schemas.js';
import { assertMayCreate } from './user-access.js';
import type { CreateUser } from './users.schema.js';

/** What the operator's settings say about new accounts. */
@Injectable()
export class NewAccountRules {
  constructor(
    private readonly schemas: ProfileSchemas,
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
   * An absent object is not written, and so not checked.
   * @throws AppError `invalid-request`, `profile-too-large`
   */
  assertFit({ profile, metadata }: Pick<CreateUser, 'profile' | 'metadata'>): void {
    this.schemas.assertSize(profile ?? {}, metadata ?? {});
    this.schemas.assertFit({ profile, metadata });
  }
}
