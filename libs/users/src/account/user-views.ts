import { Inject, Injectable } from '@nestjs/common';

import { type Config, CONFIG } from '#libs/platform/config';
import { RoleRegistry } from '#libs/roles';

import type { User } from './user.entity.js';
import type { UserRow } from './user-row.sql.js';
import { type VersionedUser, viewOfEntity, viewOfRow } from './user-view.js';
import type { UserView } from './users.schema.js';

/** Users as the API shows them: without roles that were removed and are being taken from them. */
@Injectable()
export class UserViews {
  constructor(
    private readonly roles: RoleRegistry,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  ofRow(row: UserRow): UserView {
    return this.#shown(viewOfRow(row, this.config.PUBLIC_URL));
  }

  ofEntity(entity: User): VersionedUser {
    const { user, version } = viewOfEntity(entity, this.config.PUBLIC_URL);
    return { user: this.#shown(user), version };
  }

  #shown(user: UserView): UserView {
    const roles = this.roles.withoutRemoved(user.roles);
    // hot path: a list makes no second object of each user
    return roles === user.roles ? user : { ...user, roles: [...roles] };
  }
}
