import type { IncomingMessage } from 'node:http';

import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';

import type { RequestSource, Principal } from '#libs/platform/access';
import { AppError } from '#libs/platform/errors';
import type { Upload } from '#libs/platform/http';
import { changeableId, ifMatch, UserAvatar, UsersService, type VersionedUser } from '#libs/users';

import type { Pictures } from './avatar.js';
import type { AvatarQuery } from './avatars.schema.js';
import { initialsPicture } from './initials/initials-picture.js';
import { AvatarIntake } from './avatar-intake.js';
import { AvatarStore, PicturesGone } from './avatar-store.js';

const attempts = 3;

/** Where a user's picture is, or one that was made in place of it. */
export type Shown = { readonly location: string } | { readonly svg: string };

/** A change of one user's avatar; `match` is its `If-Match`. */
export type AvatarRequest = {
  readonly id: string;
  readonly source: RequestSource;
  readonly match: string | undefined;
};

type Link = (em: SqlEntityManager, before: Buffer | undefined) => Promise<void>;

/** Takes pictures that users send of themselves, and takes them away again. */
@Injectable()
export class AvatarsService {
  constructor(
    private readonly intake: AvatarIntake,
    private readonly store: AvatarStore,
    private readonly users: UsersService,
    private readonly changes: UserAvatar,
  ) {}

  /**
   * Nothing of the body is read before it is known that the caller may change this user.
   * @throws AppError `forbidden`, `user-not-found`, `precondition-failed`, `overloaded`, what a bad form or image is told
   */
  async set({ id, source, match }: AvatarRequest, body: IncomingMessage, signal: AbortSignal): Promise<VersionedUser> {
    const userId = changeableId(id, source.caller);
    const work = ({ file, fields }: Upload) => this.intake.make(onlyFile(file, fields), signal);
    const pictures = await this.intake.receive(body, work, 'file');
    return this.#give(userId, pictures, { source, match });
  }

  /** @throws AppError `forbidden`, `user-not-found`, `avatar-not-found` */
  async show(id: string, caller: Principal, { size, default: fallback }: AvatarQuery): Promise<Shown> {
    const { user } = await this.users.get(id, caller);
    if (user.avatar) return { location: user.avatar.url.replace(/-\d+\.webp$/, `-${size}.webp`) };
    if (fallback === undefined) throw new AppError('avatar-not-found');
    return { svg: initialsPicture(user, Number(size)) };
  }

  /** @throws AppError `forbidden`, `user-not-found`, `precondition-failed` */
  async remove({ id, source, match }: AvatarRequest): Promise<VersionedUser> {
    const userId = changeableId(id, source.caller);
    return this.#change(userId, null, { source, match }, () => Promise.resolve());
  }

  async #give(
    userId: string,
    pictures: Pictures,
    { source, match }: Omit<AvatarRequest, 'id'>,
  ): Promise<VersionedUser> {
    for (let attempt = 1; ; attempt++) {
      await this.store.keep(pictures);
      try {
        const { hash } = pictures;
        return await this.#change(userId, hash, { source, match }, async (em, before) => {
          await this.store.link(em, before, hash);
          // the form and its picture have taken their time
          changeableId(userId, await source.callerNow());
        });
      } catch (error) {
        if (!(error instanceof PicturesGone) || attempt === attempts) throw error;
      }
    }
  }

  /** Once it has resolved, no replica shows the picture that the user had before, unless somebody else has it. */
  async #change(
    userId: string,
    hash: Buffer | null,
    { source, match }: Omit<AvatarRequest, 'id'>,
    link: Link,
  ): Promise<VersionedUser> {
    let left: Buffer | undefined;
    const changed = await this.changes.change(userId, {
      hash,
      source,
      precondition: ifMatch(match),
      alongside: (em, before) => {
        left = before;
        return link(em, before);
      },
    });
    if (left) await this.store.forget(left);
    this.store.removeSoon();
    return changed;
  }
}

function onlyFile(file: Buffer | undefined, fields: Readonly<Record<string, unknown>>): Buffer {
  const errors = Object.keys(fields).map((path) => ({ path, message: 'is not a field', code: 'unknown-field' }));
  if (!file) errors.push({ path: 'file', message: 'is required: the picture, as a file', code: 'invalid-type' });
  if (!file || errors.length > 0) throw new AppError('invalid-request', { errors });
  return file;
}
