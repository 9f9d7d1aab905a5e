import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { bearerToken, Public, Unlimited } from '#libs/platform/access';
import { type Config, CONFIG } from '#libs/platform/config';
import { isSame } from '#libs/platform/crypto';
import { AppError } from '#libs/platform/errors';

import { MetricsService } from './metrics.service.js';

/** `/metrics` at the service's own port, when a token is set for it. It is no part of the API. */
@ApiExcludeController()
@Controller('metrics')
export class MetricsController {
  constructor(
    private readonly metrics: MetricsService,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Get()
  @Public()
  @Unlimited()
  async read(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    const { METRICS_PORT, METRICS_TOKEN } = this.config;
    if (METRICS_TOKEN === undefined || METRICS_PORT !== undefined) throw new AppError('not-found');
    if (!isSame(bearerToken(request.headers) ?? '', METRICS_TOKEN)) throw new AppError('invalid-token');
    void reply.header('content-type', this.metrics.contentType);
    return this.metrics.render();
  }
}
