import { type ArgumentMetadata, StandardSchemaValidationPipe } from '@nestjs/common';

import { AppError } from '#libs/platform/errors';

import { toValidationError } from './validation-error.js';

/** Checks what a route declares by its schema. */
export class StrictValidationPipe extends StandardSchemaValidationPipe {
  constructor() {
    super({ exceptionFactory: (issues) => toValidationError(issues) });
  }

  override transform<T>(value: T, metadata: ArgumentMetadata): Promise<T> {
    const checked: Promise<T> = super.transform(value, metadata);
    const { type, data: name } = metadata;
    if (type !== 'param' || name === undefined) return checked;
    return checked.catch((error: unknown) => {
      throw error instanceof AppError ? atParameter(name, error) : error;
    });
  }

  /**
   * Nest drops `__proto__` and `constructor` in silence; strict schemas refuse them like any other
   * unknown field.
   */
  protected override stripProtoKeys(): void {}
}

/** A parameter of the path is a value by itself: what it is called is in the route only. */
function atParameter(name: string, { code, options }: AppError): AppError {
  const errors = options.errors?.map((fault) => ({ ...fault, path: name }));
  return new AppError(code, { ...options, ...(errors && { errors }) });
}
