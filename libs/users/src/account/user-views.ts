import { Inject, Injectable } from '@nestjs/common';

import type { Principal } from '#libs/platform/access';
import { type Config, CONFIG } from '#libs/platform/config';
import { RoleRegistry } from '#libs/roles';

import type { User } from './user.entity.js';
import type { UserRow } from './user-row.sql.js';
import { type VersionedUser, viewOfEntity, viewOfRow } from './user-view.js';
import type { UserView } from './users.schema.js';

/**
 * Users as the API shows them: without roles that were removed and are being taken from them. Who
 * may read a user is decided before.
 */
@Injectable()
export class UserViews {
  constructor(
    private readonly roles: RoleRegistry,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  ofRow(row: UserRow, to: Principal): UserView {
    return this.#shown(viewOfRow(row, { to, publicUrl: this.config.PUBLIC_URL }));
  }

  ofEntity(entity: User, to: Principal): VersionedUser {
    const { user, version } = viewOfEntity(entity, { to, publicUrl: this.config.PUBLIC_URL });
    return { user: this.#shown(user), version };
  }

  #shown(user: UserView): UserView {
    const roles = this.roles.withoutRemoved(user.roles);
    // hot path: a list makes no second object of each user
    return roles === user.roles ? user : { ...user, roles: [...roles] };
  }
}
