import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { getStorageToken, type ThrottlerStorage } from '@nestjs/throttler';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { type Config, CONFIG } from '#libs/platform/config';
import { AppError } from '#libs/platform/errors';

import { addressKey } from './address-key.js';
import { rateClass, type RateClassName } from './rate-class.decorator.js';

const windowMs = 60_000;

/** Limits what one address may ask for in a minute of the routes that have a class. */
@Injectable()
export class RateLimitGuard implements CanActivate {
  readonly #limits: Readonly<Record<RateClassName, number>>;

  constructor(
    private readonly reflector: Reflector,
    @Inject(getStorageToken()) private readonly storage: ThrottlerStorage,
    @Inject(CONFIG) config: Config,
  ) {
    this.#limits = {
      login: config.RATE_LIMIT_IP_LOGIN,
      hash: config.RATE_LIMIT_IP_HASH,
      write: config.RATE_LIMIT_IP_WRITE,
    };
  }

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const name = this.reflector.get<RateClassName | undefined>(rateClass, context.getHandler());
    return name === undefined || this.#count(name, context);
  }

  async #count(name: RateClassName, context: ExecutionContext): Promise<true> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const limit = this.#limits[name];
    const key = `${name}:${addressKey(request.ip)}`;
    const { totalHits, timeToExpire, isBlocked } = await this.storage.increment(key, windowMs, limit, 0, name);
    // draft-ietf-httpapi-ratelimit-headers
    const fields = {
      'ratelimit-policy': `"ip-${name}";q=${limit};w=${windowMs / 1000}`,
      ratelimit: `"ip-${name}";r=${Math.max(0, limit - totalHits)};t=${timeToExpire}`,
    };
    void context.switchToHttp().getResponse<FastifyReply>().headers(fields);
    if (!isBlocked) return true;
    throw new AppError('rate-limited', {
      detail: `Your address may ask for this ${limit} times a minute.`,
      headers: { 'retry-after': String(timeToExpire) },
    });
  }
}
