import { Injectable } from '@nestjs/common';

import type { RequestSource, RequestContext } from '#libs/platform/access';

import type { ChangePassword, TokenPair } from '../auth.schema.js';
import { PasswordChange } from '../password-change.service.js';
import { DeviceCookie, type DeviceOwner } from './device-cookie.js';
import { type LoginRequest, LoginService } from './login.service.js';

type PasswordOfUser = { readonly id: string; readonly change: ChangePassword; readonly source: RequestSource };

/**
 * Where passwords come in over HTTP, REST or GraphQL: the device's cookie comes with the request, and goes with the
 * answer to whoever has proven to know the password.
 */
@Injectable()
export class LoginDoor {
  constructor(
    private readonly logins: LoginService,
    private readonly passwords: PasswordChange,
    private readonly cookie: DeviceCookie,
  ) {}

  /** @throws AppError `invalid-credentials`, `overloaded` */
  async login(login: Omit<LoginRequest, 'deviceOf'>, { request, reply }: RequestContext): Promise<TokenPair> {
    const deviceOf = (owner: DeviceOwner): string => this.cookie.read(request.headers.cookie, owner);
    const { pair, device, owner } = await this.logins.login({ ...login, deviceOf });
    void reply.header('set-cookie', this.cookie.write(device, owner));
    return pair;
  }

  /** With the password all cookies of before are worthless; the device that changes its user's own one gets the next. */
  async changePassword(
    { id, change, source }: PasswordOfUser,
    { request, reply }: RequestContext,
  ): Promise<TokenPair | undefined> {
    const changed = await this.passwords.change(id, change, source);
    if (!changed) return undefined;
    const { pair, userId, hashes } = changed;
    const device = this.cookie.read(request.headers.cookie, { userId, passwordHash: hashes.before });
    void reply.header('set-cookie', this.cookie.write(device, { userId, passwordHash: hashes.after }));
    return pair;
  }
}
