import { applyDecorators, Header } from '@nestjs/common';

import { pagePolicy, StaticRoute } from '#libs/platform/http';

/** Nothing that somebody wrote may become script or markup, and nothing is asked of other hosts. */
export const policy = pagePolicy(
  "script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; require-trusted-types-for 'script'; trusted-types 'none'",
  "'self'",
);
/** For search engines, which find links in mail that is archived in public. */
export const robots = 'noindex, nofollow, noarchive';

/** A public route that answers one of the pages. Nothing of it is kept; a GET changes nothing. */
export const PageRoute = (path: string): MethodDecorator =>
  applyDecorators(StaticRoute(path, 'html', { policy }), Header('x-robots-tag', robots));
