import { createParamDecorator, type ExecutionContext } from '@nestjs/common';

import { replyOf } from '#libs/platform/access';
import { AppError } from '#libs/platform/errors';

/** An `AbortSignal` that fires when the client hangs up before it has its answer. */
export const ClientGone = createParamDecorator((_: undefined, context: ExecutionContext): AbortSignal => {
  const { raw } = replyOf(context);
  const controller = new AbortController();
  raw.once('close', () => {
    if (!raw.writableFinished) controller.abort(new AppError('bad-request', { detail: 'The client hung up.' }));
  });
  return controller.signal;
});
