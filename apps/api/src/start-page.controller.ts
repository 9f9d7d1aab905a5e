import { Controller, Get, Header, Headers, Inject, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';

import { showsGraphiql } from '#libs/graphql';
import { Public, Unlimited } from '#libs/platform/access';
import { type Config, CONFIG } from '#libs/platform/config';
import { AppError } from '#libs/platform/errors';

import { renderStartPage, startPageStyle } from './start-page.js';

/** Only from ourselves, and no script at all. */
const pagePolicy =
  "default-src 'none'; style-src 'self'; img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/**
 * What a person sees who opens the service in a browser; programs get the problem document, since there is nothing at
 * this address for them. A constant answer from memory: it costs less than to count it.
 */
@ApiExcludeController()
@Controller()
export class StartPageController {
  readonly #page: string;

  constructor(@Inject(CONFIG) config: Config) {
    this.#page = renderStartPage({ hasGraphiql: showsGraphiql(config), isEmbedded: config.DATABASE_URL === undefined });
  }

  @Get()
  @Public()
  @Unlimited()
  page(@Headers('accept') accept: string | undefined, @Res({ passthrough: true }) reply: FastifyReply): string {
    void reply.header('vary', 'Accept');
    if (accept?.includes('text/html') !== true) throw new AppError('not-found');
    void reply.headers({ 'content-type': 'text/html; charset=utf-8', 'content-security-policy': pagePolicy });
    return this.#page;
  }

  @Get('start.css')
  @Public()
  @Unlimited()
  @Header('content-type', 'text/css; charset=utf-8')
  @Header('cache-control', 'public, max-age=86400')
  style(): string {
    return startPageStyle;
  }
}
