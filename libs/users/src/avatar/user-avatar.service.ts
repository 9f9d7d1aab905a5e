import type { IncomingMessage } from 'node:http';

import { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';

import type { Principal, RequestSource } from '#libs/platform/access';
import { AppError } from '#libs/platform/errors';
import { ifMatch, type Upload } from '#libs/platform/http';
import { PicturesGone, PicturesService } from '#libs/platform/pictures';
import { AuditTrail } from '#libs/security/audit';

import { changeableId } from '../account/user-access.js';
import type { VersionedUser } from '../account/user-view.js';
import { UserViews } from '../account/user-views.js';
import { UsersRepository } from '../account/users.repository.js';
import { UsersService } from '../account/users.service.js';
import { initialsPicture } from './initials.js';

const attempts = 3;

/** `default` asks for initials where there is no picture. */
type AvatarQuery = { readonly size: string; readonly default?: 'initials' | undefined };
/** Where a user's picture is, or its initials. */
export type ShownAvatar = { readonly location: string } | { readonly svg: string };

/** A change of one user's avatar; `match` is the header `If-Match`. */
export type AvatarRequest = {
  readonly id: string;
  readonly source: RequestSource;
  readonly match: string | undefined;
};

/** Sets, shows and removes the picture of a user. */
@Injectable()
export class UserAvatarService {
  constructor(
    private readonly users: UsersService,
    private readonly repository: UsersRepository,
    private readonly pictures: PicturesService,
    private readonly audit: AuditTrail,
    private readonly em: SqlEntityManager,
    private readonly views: UserViews,
  ) {}

  /** @throws AppError `forbidden`, `user-not-found`, `avatar-not-found` */
  async show(id: string, caller: Principal, { size, default: fallback }: AvatarQuery): Promise<ShownAvatar> {
    const { user } = await this.users.get(id, caller);
    if (user.avatar) return { location: user.avatar.url.replace(/-\d+\.webp$/, `-${size}.webp`) };
    if (fallback === undefined) throw new AppError('avatar-not-found');
    return { svg: initialsPicture(user, Number(size)) };
  }

  /**
   * Nothing of the body is read before it is known that the caller may change this user.
   * @throws AppError `forbidden`, `user-not-found`, `precondition-failed`, `unavailable`, those of
   * `PicturesService.receive` and `PicturesService.make`
   */
  async set(request: AvatarRequest, body: IncomingMessage, signal: AbortSignal): Promise<VersionedUser> {
    const userId = changeableId(request.id, request.source.caller);
    const work = ({ file, fields }: Upload) => this.pictures.make(onlyFile(file, fields), signal);
    const pictures = await this.pictures.receive(body, 'file', work);
    for (let attempt = 1; ; attempt++) {
      await this.pictures.keep(pictures);
      try {
        return await this.#change(userId, pictures.hash, request);
      } catch (error) {
        if (!(error instanceof PicturesGone) || attempt === attempts) throw error;
      }
    }
  }

  /** @throws AppError `forbidden`, `user-not-found`, `precondition-failed` */
  async remove(request: AvatarRequest): Promise<VersionedUser> {
    return this.#change(changeableId(request.id, request.source.caller), null, request);
  }

  /** Once this resolves, no replica shows the old picture, unless somebody else has it. */
  async #change(userId: string, hash: Buffer | null, request: AvatarRequest): Promise<VersionedUser> {
    const { released, changed } = await this.repository.turns.take(userId, () => this.#update(userId, hash, request));
    if (released) await this.pictures.release(released);
    return changed;
  }

  #update(
    userId: string,
    hash: Buffer | null,
    { source, match }: AvatarRequest,
  ): Promise<{ released: Buffer | undefined; changed: VersionedUser }> {
    return this.em.fork().transactional(async (em) => {
      const user = await this.repository.findForUpdate(em, userId, source.caller);
      ifMatch(match)(user.version);
      const before = user.avatarHash ? Buffer.from(user.avatarHash) : undefined;
      const isSame = hash === null ? before === undefined : before?.equals(hash) === true;
      if (isSame) return { released: undefined, changed: this.views.ofEntity(user, source.caller) };
      if (hash) {
        await this.pictures.link(em, before, hash);
        // reading the form and making the picture took time, in which trust may have ended
        changeableId(userId, await source.callerNow());
      }
      await this.audit.record({ event: 'user-changed', userId, details: { fields: ['avatar'] } }, source, em);
      user.avatarHash = hash;
      await em.flush();
      return { released: before, changed: this.views.ofEntity(user, source.caller) };
    });
  }
}

function onlyFile(file: Buffer | undefined, fields: Readonly<Record<string, unknown>>): Buffer {
  const errors = Object.keys(fields).map((path) => ({ path, message: 'is not a field', code: 'unknown-field' }));
  if (!file) errors.push({ path: 'file', message: 'is required: the picture, as a file', code: 'invalid-type' });
  if (!file || errors.length > 0) throw new AppError('invalid-request', { errors });
  return file;
}
