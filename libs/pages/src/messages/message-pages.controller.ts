import { Controller, Get, Headers, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { tokenInLink } from '#libs/messages';
import { Public } from '#libs/platform/access';
import { pathOf } from '#libs/platform/http';

import { pageFiles } from '../page-files.js';
import { PageRoute } from '../page-route.js';
import { redirectToPage } from '../redirect-to-page.js';

/**
 * Pages for people. The token is behind the `#` of the URL, which browsers send to no server; the
 * page's script gives it to the API. A program that previews the URL uses no read up.
 */
@ApiExcludeController()
@Controller()
export class MessagePagesController {
  @PageRoute('m')
  read(): Promise<Buffer> {
    return pageFiles.read('read.html');
  }

  @PageRoute('m/new')
  write(): Promise<Buffer> {
    return pageFiles.read('write.html');
  }

  /**
   * Links that a mail program or a chat has changed: `/m%23<token>`, `/m/<token>`. The browser is
   * sent to the page, with the token behind the `#` when there is one. No read is used up.
   */
  // The second path matches `m` and a mark: `&utm_source=x`, or `%23…`, which the router has
  // decoded by then.
  @Get(['m/*', 'm:rest(^[^A-Za-z0-9_-].*$)'])
  @Public()
  @RouteConfig({ isPathSecret: true })
  redirectChangedLink(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Headers('accept') accept: string | undefined,
  ): void {
    redirectToPage(reply, { page: '/m', token: tokenInLink(pathOf(request.url).slice('/m'.length)), accept });
  }
}
