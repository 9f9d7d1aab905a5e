import { Inject, Injectable, type INestApplication } from '@nestjs/common';

import { type Config, CONFIG } from '#libs/platform/config';

import { createOpenApi } from './openapi.js';

/** The document, made when it is first asked for. */
@Injectable()
export class OpenApi {
  #app: INestApplication | undefined;
  #document: Promise<string> | undefined;

  constructor(@Inject(CONFIG) private readonly config: Config) {}

  /** The application whose routes are described; it exists only after its providers do. */
  describe(app: INestApplication): void {
    this.#app = app;
  }

  /** As JSON text, which is made once. */
  document(): Promise<string> {
    if (!this.#app) throw new Error('OpenApi.describe was not called');
    this.#document ??= createOpenApi(this.#app, this.config.PUBLIC_URL).then((made) => JSON.stringify(made));
    return this.#document;
  }
}
