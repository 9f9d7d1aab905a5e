import { join } from 'node:path';

import { Controller, Get, Header, Inject, Param, Req } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';

import { Public } from '#libs/platform/access';
import { type Config, CONFIG } from '#libs/platform/config';
import { AppError } from '#libs/platform/errors';
import { pagePolicy, StaticFiles } from '#libs/platform/http';

import { renderList, renderMailPage } from './dev-mail-page.js';
import { type KeptMail, KeptMails } from './kept-mails.js';

const policy = pagePolicy("style-src 'self'; img-src data:; frame-src 'self'");
/** The mail brings its own styles; it may do nothing else, and only our page may frame it. */
const mailPolicy =
  "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; base-uri 'none'; form-action 'none'";
const html = 'text/html; charset=utf-8';

/** A name or address of this machine alone, as a URL has it. */
const isLoopback = (hostname: string): boolean => /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname);

/**
 * The mails of `MAIL=file`, for who develops on this machine. They open accounts: so only while
 * `NODE_ENV` is not `production` and `PUBLIC_URL` is of this machine, which it is behind no proxy;
 * and only for who connects from this machine, and by its own name: a page of another name that
 * leads here could read them otherwise (DNS rebinding).
 */
@ApiExcludeController()
@Controller('dev')
export class DevMailController {
  readonly #files = new StaticFiles(new URL('../../pages/', import.meta.url));
  readonly #mails: KeptMails | undefined;

  constructor(@Inject(CONFIG) { MAIL, NODE_ENV, DATA_DIR, PUBLIC_URL }: Config) {
    const isShown = MAIL === 'file' && NODE_ENV !== 'production' && isLoopback(new URL(PUBLIC_URL).hostname);
    this.#mails = isShown ? new KeptMails(join(DATA_DIR, 'mail')) : undefined;
  }

  @Get('mail')
  @Public()
  @Header('content-type', html)
  @Header('content-security-policy', policy)
  async list(@Req() request: FastifyRequest): Promise<string> {
    return renderList(await this.#mailsFor(request).list());
  }

  @Get('mail.css')
  @Public()
  @Header('content-type', 'text/css; charset=utf-8')
  style(@Req() request: FastifyRequest): Promise<Buffer> {
    this.#mailsFor(request);
    return this.#files.read('dev-mail.css');
  }

  @Get('mail/:id')
  @Public()
  @Header('content-type', html)
  @Header('content-security-policy', policy)
  async show(@Param('id') id: string, @Req() request: FastifyRequest): Promise<string> {
    return renderMailPage(await this.#find(id, request));
  }

  @Get('mail/:id/html')
  @Public()
  @Header('content-type', html)
  @Header('content-security-policy', mailPolicy)
  @Header('x-frame-options', 'SAMEORIGIN')
  async asHtml(@Param('id') id: string, @Req() request: FastifyRequest): Promise<string> {
    return (await this.#find(id, request)).html;
  }

  @Get('mail/:id/source')
  @Public()
  @Header('content-type', 'text/plain; charset=utf-8')
  async source(@Param('id') id: string, @Req() request: FastifyRequest): Promise<string> {
    return (await this.#find(id, request)).source;
  }

  async #find(id: string, request: FastifyRequest): Promise<KeptMail> {
    const mail = await this.#mailsFor(request).find(id);
    if (!mail) throw new AppError('not-found');
    return mail;
  }

  /** @throws AppError `not-found` as for any address that there is not */
  #mailsFor({ socket, headers }: FastifyRequest): KeptMails {
    const { remoteAddress = '' } = socket;
    const isHere = /^(?:::1|(?:::ffff:)?127\.\d+\.\d+\.\d+)$/.test(remoteAddress);
    const isForwarded = headers['x-forwarded-for'] !== undefined || headers['forwarded'] !== undefined;
    const isOwnName = isLoopback((headers.host ?? '').replace(/:\d+$/, ''));
    if (!this.#mails || !isHere || isForwarded || !isOwnName) throw new AppError('not-found');
    return this.#mails;
  }
}
