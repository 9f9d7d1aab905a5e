import { readFileSync } from 'node:fs';

import { Controller, Get, Header } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';

import { Public } from '#libs/platform/access';

import { findPagesFolder } from './find-pages-folder.js';

/** Only from ourselves, nothing inline, and no text may become script or markup. */
const pagePolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/**
 * Pages for people. The token is behind the `#` of their URL, which browsers send to nobody: the page takes it from there
 * and asks the API. A program that looks at the URL for a preview gets this page and uses nothing up.
 */
@ApiExcludeController()
@Controller('m')
export class MessagePagesController {
  readonly #files = readPages();

  @Get()
  @Public()
  @Header('content-type', 'text/html; charset=utf-8')
  @Header('content-security-policy', pagePolicy)
  @Header('x-robots-tag', 'noindex, nofollow, noarchive')
  read(): string {
    return this.#files.read;
  }

  @Get('new')
  @Public()
  @Header('content-type', 'text/html; charset=utf-8')
  @Header('content-security-policy', pagePolicy)
  @Header('x-robots-tag', 'noindex, nofollow, noarchive')
  write(): string {
    return this.#files.write;
  }

  @Get('messages.js')
  @Public()
  @Header('content-type', 'text/javascript; charset=utf-8')
  script(): string {
    return this.#files.script;
  }

  @Get('messages.css')
  @Public()
  @Header('content-type', 'text/css; charset=utf-8')
  style(): string {
    return this.#files.style;
  }
}

function readPages() {
  const folder = findPagesFolder();
  const read = (name: string): string => readFileSync(new URL(name, folder), 'utf8');
  return {
    read: read('read.html'),
    write: read('write.html'),
    script: read('messages.js'),
    style: read('messages.css'),
  };
}
