import { createRequire } from 'node:module';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { Controller, Get, Header } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';

import { Public, Unlimited } from '#libs/platform/access';

import { OpenApi } from './openapi.service.js';

/** Only from ourselves, and nothing inline: the explorer asks no other host for anything. */
const pagePolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Gatehouse API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="explorer"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
`;
const script = `SwaggerUIBundle({
  url: 'openapi.json',
  dom_id: '#explorer',
  deepLinking: true,
  persistAuthorization: false,
  validatorUrl: null,
  tryItOutEnabled: true,
});
`;
const assets = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));

/**
 * The explorer (swagger-ui from its package) and the document it shows. Constant answers from memory: they cost less
 * than to count them.
 */
@ApiExcludeController()
@Controller()
export class DocsController {
  readonly #assets = new Map<string, Promise<Buffer>>();

  constructor(private readonly openApi: OpenApi) {}

  @Get('openapi.json')
  @Public()
  @Unlimited()
  @Header('content-type', 'application/json; charset=utf-8')
  @Header('cache-control', 'no-cache')
  @Header('access-control-allow-origin', '*')
  document(): Promise<string> {
    return this.openApi.document();
  }

  @Get('docs')
  @Public()
  @Unlimited()
  @Header('content-type', 'text/html; charset=utf-8')
  @Header('content-security-policy', pagePolicy)
  page(): string {
    return page;
  }

  @Get('docs/start.js')
  @Public()
  @Unlimited()
  @Header('content-type', 'text/javascript; charset=utf-8')
  script(): string {
    return script;
  }

  @Get('docs/swagger-ui-bundle.js')
  @Public()
  @Unlimited()
  @Header('content-type', 'text/javascript; charset=utf-8')
  @Header('cache-control', 'public, max-age=86400')
  bundle(): Promise<Buffer> {
    return this.#asset('swagger-ui-bundle.js');
  }

  @Get('docs/swagger-ui.css')
  @Public()
  @Unlimited()
  @Header('content-type', 'text/css; charset=utf-8')
  @Header('cache-control', 'public, max-age=86400')
  style(): Promise<Buffer> {
    return this.#asset('swagger-ui.css');
  }

  /** Read once: who is not counted must not reach the disk. */
  #asset(name: string): Promise<Buffer> {
    const known = this.#assets.get(name) ?? readFile(join(assets, name));
    this.#assets.set(name, known);
    return known;
  }
}
