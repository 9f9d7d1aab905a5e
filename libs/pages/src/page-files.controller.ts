import { Controller } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';

import { StaticRoute } from '#libs/platform/http';

import { pageFiles } from './page-files.js';

/** Each page asks for its parts beside itself, because the service may stand below a path. */
@ApiExcludeController()
@Controller()
export class PageFilesController {
  @StaticRoute(['m/messages.css', 'account/account.css'], 'css')
  style(): Promise<Buffer> {
    return pageFiles.read('pages.css');
  }

  @StaticRoute(['m/page.js', 'account/page.js'], 'js')
  shared(): Promise<Buffer> {
    return pageFiles.read('page.js');
  }

  @StaticRoute('m/messages.js', 'js')
  messages(): Promise<Buffer> {
    return pageFiles.read('messages.js');
  }

  @StaticRoute('account/account.js', 'js')
  account(): Promise<Buffer> {
    return pageFiles.read('account.js');
  }
}
