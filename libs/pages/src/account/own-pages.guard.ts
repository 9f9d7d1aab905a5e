import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

import { requestOf } from '#libs/platform/access';
import { type Config, CONFIG } from '#libs/platform/config';
import { AppError } from '#libs/platform/errors';

/**
 * Refuses forms that pages of others send. They prove themselves by a code or a token and no
 * cookie counts for them, but nobody else is to send people through them.
 */
@Injectable()
export class OwnPagesGuard implements CanActivate {
  readonly #publicHost: string;

  constructor(@Inject(CONFIG) config: Config) {
    this.#publicHost = new URL(config.PUBLIC_URL).host;
  }

  /** @throws AppError `forbidden` */
  canActivate(context: ExecutionContext): true {
    const request = requestOf(context);
    if (request.method === 'POST' && !this.#isOwn(request)) throw new AppError('forbidden');
    return true;
  }

  #isOwn({ headers: { origin, host, 'sec-fetch-site': site } }: FastifyRequest): boolean {
    if (site !== undefined && site !== 'same-origin' && site !== 'none') return false;
    // our own pages send `null`, because they send no referrer (Fetch §3.2)
    if (origin === undefined || origin === 'null') return true;
    const from = URL.parse(origin)?.host;
    return from === this.#publicHost || from === host;
  }
}
