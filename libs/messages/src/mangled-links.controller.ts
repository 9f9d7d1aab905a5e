import { Controller, Get, Headers, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { Public } from '#libs/platform/access';
import { AppError } from '#libs/platform/errors';
import { pathOf, toPublicPath } from '#libs/platform/http';

import { tokenInLink } from './links/token-in-link.js';

/**
 * Links to messages that a mail program, a chat or a counter of clicks has rewritten: `/m%23<token>`, `/m/<token>`. The
 * browser is sent to the page with the token behind the `#`, where it belongs; what has none in it, to the page that says
 * that a link is not complete. Neither uses anything up.
 */
@ApiExcludeController()
@Controller()
export class MangledLinksController {
  // a part that begins with m and then no letter: `%23…`, which the router has decoded by then, `&utm_source=x`
  @Get(['m/*', 'm:rest(^[^A-Za-z0-9_-].*$)'])
  @Public()
  @RouteConfig({ isPathSecret: true })
  putRight(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Headers('accept') accept: string | undefined,
  ): void {
    const token = tokenInLink(pathOf(request.url).slice('/m'.length));
    if (token === undefined && accept?.includes('text/html') !== true) throw new AppError('not-found');
    const page = toPublicPath(reply, '/m');
    void reply
      .code(302)
      .header('location', token === undefined ? page : `${page}#${token}`)
      .send();
  }
}
