import type { FastifyReply } from 'fastify';

import { AppError } from '#libs/platform/errors';
import { toPublicPath } from '#libs/platform/http';

type ChangedLink = {
  readonly page: string;
  /** What was found in the link. */
  readonly token: string | undefined;
  readonly accept: string | undefined;
};

/**
 * Sends a browser that followed a changed link to the page, with the token behind the `#`.
 * @throws AppError `not-found` for a program, when there is no token in the link
 */
export function redirectToPage(reply: FastifyReply, { page, token, accept }: ChangedLink): void {
  if (token === undefined && accept?.includes('text/html') !== true) throw new AppError('not-found');
  const path = toPublicPath(reply, page);
  void reply
    .code(302)
    .header('location', token === undefined ? path : `${path}#${token}`)
    .send();
}
