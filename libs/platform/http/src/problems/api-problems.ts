import { applyDecorators } from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';

import { type ErrorCode, errorCodes, problemSchema } from '#libs/platform/errors';

/** Documents which errors a route answers of its own, beside those that any route can. */
export function ApiProblems(...codes: readonly ErrorCode[]): MethodDecorator {
  const byStatus = Map.groupBy(codes, (code) => errorCodes[code].status);
  return applyDecorators(
    ...[...byStatus].map(([status, group]) =>
      ApiResponse({
        status,
        description: group.map((code) => `\`${code}\``).join(', '),
        standardSchema: problemSchema,
      }),
    ),
  );
}
