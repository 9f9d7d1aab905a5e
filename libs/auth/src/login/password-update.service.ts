import { Injectable } from '@nestjs/common';

import type { RequestContext, RequestSource } from '#libs/platform/access';

import type { TokenPair } from '../tokens/tokens.schema.js';
import { DeviceCookie } from './device-cookie.js';
import type { ChangePassword } from './login.schema.js';
import { PasswordChangeService } from './password-change.service.js';

type ChangeRequest = { readonly id: string; readonly change: ChangePassword; readonly source: RequestSource };

/** Changes passwords over REST and GraphQL. */
@Injectable()
export class PasswordUpdateService {
  constructor(
    private readonly passwordChange: PasswordChangeService,
    private readonly cookie: DeviceCookie,
  ) {}

  /**
   * Changes a password. All cookies from before are worthless then; the device that changes the
   * password of its own user gets the next one with the answer.
   * @returns nothing when another user's password was changed
   * @throws as `PasswordChangeService.change`
   */
  async change(
    { id, change, source }: ChangeRequest,
    { request, reply }: RequestContext,
  ): Promise<TokenPair | undefined> {
    const changed = await this.passwordChange.change(id, change, source);
    if (!changed) return undefined;
    const { pair, userId, hashes } = changed;
    const device = this.cookie.read(request.headers.cookie, { userId, passwordHash: hashes.before });
    void reply.header('set-cookie', this.cookie.write(device, { userId, passwordHash: hashes.after }));
    return pair;
  }
}
