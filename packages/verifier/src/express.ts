import type { IncomingMessage, ServerResponse } from 'node:http';

import { problemOf } from './problem.js';
import type { Verified, Verifier } from './verifier.js';
import type { VerifyOptions } from './verify-options.js';

declare global {
  // the name that Express's own types have (`@types/express-serve-static-core`)
  namespace Express {
    interface Request {
      /** The token of the request, where `requireToken` let it pass. */
      verified?: Verified;
    }
  }
}

type Next = (error?: unknown) => void;
type RequestWithToken = IncomingMessage & { verified?: Verified };

/**
 * Middleware for Express 5, and for whatever else calls `(request, response, next)`: lets a request
 * pass whose token is good, with `request.verified`; answers others with a problem document.
 * @throws TypeError for wrong options
 */
export function requireToken(
  verifier: Verifier,
  options: VerifyOptions = {},
): (request: RequestWithToken, response: ServerResponse, next: Next) => Promise<void> {
  verifier.checkOptions(options);
  return async (request, response, next) => {
    try {
      request.verified = await verifier.verifyAuthorization(request.headers.authorization, options);
    } catch (error) {
      return refuse(response, error, next);
    }
    next();
  };
}

function refuse(response: ServerResponse, error: unknown, next: Next): void {
  const problem = problemOf(error);
  if (!problem) return next(error);
  response.writeHead(problem.status, problem.headers).end(JSON.stringify(problem.body));
}

/** Middleware that answers the metadata of the protected resource (RFC 9728), without a token. */
export function serveProtectedResource(
  verifier: Verifier,
): (request: IncomingMessage & { originalUrl?: string }, response: ServerResponse, next: Next) => void {
  const { protectedResource } = verifier;
  if (!protectedResource) throw new TypeError('The verifier was made without `protectedResource`.');
  const { pathname, search } = new URL(protectedResource.url);
  const body = JSON.stringify(protectedResource.document);
  return (request, response, next) => {
    const isAsked = (request.originalUrl ?? request.url) === pathname + search;
    if (!isAsked || (request.method !== 'GET' && request.method !== 'HEAD')) return next();
    response.writeHead(200, { 'content-type': 'application/json', 'access-control-allow-origin': '*' }).end(body);
  };
}
