import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

import { Controller, Get, Header } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';

import { Public, Unlimited } from '#libs/platform/access';
import { pagePolicy, StaticFiles, StaticRoute } from '#libs/platform/http';

import { OpenApiService } from './openapi.service.js';

const policy = pagePolicy("script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'");
const swaggerUi = pathToFileURL(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
const maxAgeSeconds = 86_400;

/**
 * The explorer (swagger-ui from its package) and the document that it shows. Constant answers: a
 * rate limit would cost more than they do.
 */
@ApiExcludeController()
@Controller()
export class DocsController {
  readonly #pages = new StaticFiles(new URL('../../pages/', import.meta.url));
  readonly #swaggerUi = new StaticFiles(new URL('.', swaggerUi));

  constructor(private readonly openApi: OpenApiService) {}

  @Get('openapi.json')
  @Public()
  @Unlimited()
  @Header('content-type', 'application/json; charset=utf-8')
  @Header('cache-control', 'no-cache')
  @Header('access-control-allow-origin', '*')
  document(): Promise<string> {
    return this.openApi.document();
  }

  @StaticRoute('docs', 'html', { policy })
  @Unlimited()
  page(): Promise<Buffer> {
    return this.#pages.read('docs.html');
  }

  @StaticRoute('docs/start.js', 'js')
  @Unlimited()
  script(): Promise<Buffer> {
    return this.#pages.read('docs.js');
  }

  @StaticRoute('docs/swagger-ui-bundle.js', 'js', { maxAgeSeconds })
  @Unlimited()
  bundle(): Promise<Buffer> {
    return this.#swaggerUi.read('swagger-ui-bundle.js');
  }

  @StaticRoute('docs/swagger-ui.css', 'css', { maxAgeSeconds })
  @Unlimited()
  style(): Promise<Buffer> {
    return this.#swaggerUi.read('swagger-ui.css');
  }
}
