import { SqlEntityManager } from '@mikro-orm/sql';
import { Inject, Injectable } from '@nestjs/common';

import { AuditTrail } from '#libs/security/audit';
import type { RequestSource } from '#libs/platform/access';
import { type Config, CONFIG } from '#libs/platform/config';

import { noSuchUser } from './user-access.js';
import type { Precondition } from './user-changes.service.js';
import { type VersionedUser, viewOfEntity } from './user-view.js';
import { UsersRepository } from './users.repository.js';

/** `hash` names the pictures; `null` takes them away. */
type AvatarChange = {
  readonly hash: Buffer | null;
  readonly precondition: Precondition;
  readonly source: RequestSource;
  readonly alongside: (em: SqlEntityManager, before: Buffer | undefined) => Promise<void>;
};

/** Which pictures a user has. */
@Injectable()
export class UserAvatar {
  constructor(
    private readonly users: UsersRepository,
    private readonly audit: AuditTrail,
    private readonly em: SqlEntityManager,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * Gives a user another avatar, or none. `alongside` writes what belongs to it in the same transaction, with the user
   * locked, and is told what the user had before; what is no change does not call it.
   * @throws AppError `user-not-found`, `precondition-failed`, what `alongside` throws
   */
  change(userId: string, change: AvatarChange): Promise<VersionedUser> {
    return this.users.turns.take(userId, () => this.#change(userId, change));
  }

  #change(userId: string, { hash, precondition, source, alongside }: AvatarChange): Promise<VersionedUser> {
    return this.em.fork().transactional(async (em) => {
      const user = await this.users.findForUpdate(em, userId);
      if (!user) throw noSuchUser(userId, source.caller);
      precondition(user.version);
      const before = user.avatarHash ? Buffer.from(user.avatarHash) : undefined;
      const isSame = hash === null ? before === undefined : before?.equals(hash) === true;
      if (!isSame) {
        await alongside(em, before);
        await this.audit.record({ event: 'user-changed', userId, details: { fields: ['avatar'] } }, source, em);
        user.avatarHash = hash;
        await em.flush();
      }
      return viewOfEntity(user, this.config.PUBLIC_URL);
    });
  }
}
