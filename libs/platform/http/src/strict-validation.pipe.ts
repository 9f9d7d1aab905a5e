import { StandardSchemaValidationPipe } from '@nestjs/common';

import { toValidationError } from './validation-error.js';

/** Checks what a route declares by its schema. */
export class StrictValidationPipe extends StandardSchemaValidationPipe {
  constructor() {
    super({ exceptionFactory: toValidationError });
  }

  /** Nest drops `__proto__` and `constructor` in silence; strict schemas refuse them like any other unknown field. */
  protected override stripProtoKeys(): void {}
}
