import { Controller, Get, Header, Headers, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { Public } from '#libs/platform/access';
import { AppError } from '#libs/platform/errors';
import { pagePolicy, pathOf, StaticFiles, StaticRoute, toPublicPath } from '#libs/platform/http';

import { tokenInLink } from './links/link-tokens.js';

/** No text of a message may become script or markup. */
const policy = pagePolicy(
  "script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; require-trusted-types-for 'script'; trusted-types 'none'",
);
const NoRobots = (): MethodDecorator => Header('x-robots-tag', 'noindex, nofollow, noarchive');

/**
 * Pages for people. The token is behind the `#` of the URL, which browsers send to no server; the
 * page's script gives it to the API. A program that previews the URL uses no read up.
 */
@ApiExcludeController()
@Controller()
export class MessagePagesController {
  readonly #files = new StaticFiles(new URL('../pages/', import.meta.url));

  @StaticRoute('m', 'html', { policy })
  @NoRobots()
  read(): Promise<Buffer> {
    return this.#files.read('read.html');
  }

  @StaticRoute('m/new', 'html', { policy })
  @NoRobots()
  write(): Promise<Buffer> {
    return this.#files.read('write.html');
  }

  @StaticRoute('m/messages.js', 'js')
  script(): Promise<Buffer> {
    return this.#files.read('messages.js');
  }

  @StaticRoute('m/messages.css', 'css')
  style(): Promise<Buffer> {
    return this.#files.read('messages.css');
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
    const token = tokenInLink(pathOf(request.url).slice('/m'.length));
    if (token === undefined && accept?.includes('text/html') !== true) throw new AppError('not-found');
    const page = toPublicPath(reply, '/m');
    void reply
      .code(302)
      .header('location', token === undefined ? page : `${page}#${token}`)
      .send();
  }
}
