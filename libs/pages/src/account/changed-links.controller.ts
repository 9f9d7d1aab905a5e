import { Controller, Get, Headers, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { Public } from '#libs/platform/access';
import { pathOf } from '#libs/platform/http';

import { redirectToPage } from '../redirect-to-page.js';
import { linkedPages, tokenInLink } from './account-links.js';

/** As for messages: the second path matches a page and a mark behind it. */
const changed = linkedPages.flatMap((page) => [`${page}/*`, `${page}:rest(^[^A-Za-z0-9_-].*$)`]);

/**
 * Links that a mail program or a chat has changed: `/account/reset%23<token>`,
 * `/account/reset/<token>`. The browser is sent to the page; the link stays good.
 */
@ApiExcludeController()
@Controller('account')
export class ChangedLinksController {
  @Get(changed)
  @Public()
  @RouteConfig({ isPathSecret: true })
  redirect(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Headers('accept') accept: string | undefined,
  ): void {
    const [, page = '', rest = ''] = /^(\/account\/[a-z]+)(.*)$/s.exec(pathOf(request.url)) ?? [];
    redirectToPage(reply, { page, token: tokenInLink(rest), accept });
  }
}
