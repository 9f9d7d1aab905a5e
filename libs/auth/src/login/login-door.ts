import { Injectable } from '@nestjs/common';

import type { RequestContext } from '#libs/platform/access';

import type { TokenPair } from '../auth.schema.js';
import { DeviceCookie } from './device-cookie.js';
import { type LoginRequest, LoginService } from './login.service.js';

/** Signs in at a door of HTTP, REST or GraphQL: the device's cookie comes with the request and goes with the answer. */
@Injectable()
export class LoginDoor {
  constructor(
    private readonly logins: LoginService,
    private readonly cookie: DeviceCookie,
  ) {}

  /** @throws AppError `invalid-credentials`, `overloaded` */
  async login(login: Omit<LoginRequest, 'deviceOf'>, { request, reply }: RequestContext): Promise<TokenPair> {
    const deviceOf = (userId: string): string => this.cookie.read(request.headers.cookie, userId);
    const { pair, userId, device } = await this.logins.login({ ...login, deviceOf });
    void reply.header('set-cookie', this.cookie.write(device, userId));
    return pair;
  }
}
