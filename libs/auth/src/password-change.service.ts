import { Injectable } from '@nestjs/common';

import { NewPassword } from '#libs/passwords';
import { isUser, type Origin, type UserPrincipal } from '#libs/platform/access';
import { AppError } from '#libs/platform/errors';
import { Revocations } from '#libs/revocation';
import { changeableId, type PasswordOwner, UsersRepository } from '#libs/users';

import type { ChangePassword } from './auth.schema.js';
import { PasswordProof } from './login/password-proof.service.js';
import { SessionEnd } from './sessions/session-end.service.js';

/** Changes passwords; the user's other sessions end in the same transaction. */
@Injectable()
export class PasswordChange {
  constructor(
    private readonly users: UsersRepository,
    private readonly newPassword: NewPassword,
    private readonly proof: PasswordProof,
    private readonly revocations: Revocations,
    private readonly sessionEnd: SessionEnd,
  ) {}

  /** @throws AppError `forbidden`, `user-not-found`, `wrong-password`, `password-refused`, `overloaded` */
  async change(id: string, { currentPassword, password }: ChangePassword, origin: Origin): Promise<void> {
    const userId = changeableId(id, origin.caller);
    const owner = await this.users.findPasswordOwner(userId);
    if (!owner) throw new AppError('user-not-found');
    const self = isUser(origin.caller) && origin.caller.userId === userId ? origin.caller : undefined;
    if (self) await this.#assertCurrent(self, owner, currentPassword);
    const hash = await this.newPassword.take(password, owner);
    await this.revocations.transactional(async (em, revoke) => {
      // somebody else's change in between wins: this one was checked against a password that is no more
      if (!(await this.users.changeHash(em, userId, owner.passwordHash, hash))) throw new AppError('wrong-password');
      const ended = self ? { except: self.sessionId } : 'all';
      const why = { cause: 'password-changed', event: 'password-changed', origin } as const;
      await this.sessionEnd.endWithin(em, revoke, userId, ended, why);
    });
  }

  async #assertCurrent(
    { userId, sessionId }: UserPrincipal,
    { passwordHash }: PasswordOwner,
    currentPassword: string | undefined,
  ): Promise<void> {
    if (currentPassword === undefined) {
      const message = 'is required to change your own password';
      throw new AppError('invalid-request', { errors: [{ path: 'currentPassword', message, code: 'required' }] });
    }
    const isProved = await this.proof.isProved(currentPassword, { userId, sessionId, passwordHash });
    if (!isProved) throw new AppError('wrong-password');
  }
}
