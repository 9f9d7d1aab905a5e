import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import { problemOf } from './problem.js';
import type { Verified, Verifier } from './verifier.js';
import type { VerifyOptions } from './verify-options.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** The token of the request, where `requireToken` let it pass. */
    verified: Verified | undefined;
  }
}

/**
 * Plugin for Fastify 5: makes room for `request.verified`, serves the metadata of the protected
 * resource (RFC 9728) if there are any, and closes the verifier with the server.
 */
export const verifierPlugin = Object.assign(
  async (fastify: FastifyInstance, { verifier }: { readonly verifier: Verifier }): Promise<void> => {
    fastify.decorateRequest('verified', undefined);
    fastify.addHook('onClose', () => verifier.close());
    const { protectedResource } = verifier;
    if (!protectedResource) return;
    const { url, document } = protectedResource;
    fastify.get(new URL(url).pathname, (_, reply) => reply.header('access-control-allow-origin', '*').send(document));
  },
  // what it decorates is for the server that registers it, not for the plugin alone
  { [Symbol.for('skip-override')]: true, [Symbol.for('fastify.display-name')]: '@gatehouse/verifier' },
);

/**
 * `onRequest` hook of a route or a server: lets a request pass whose token is good, with
 * `request.verified`; answers others with a problem document.
 * @throws TypeError for wrong options
 */
export function requireToken(
  verifier: Verifier,
  options: VerifyOptions = {},
): (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply | undefined> {
  verifier.checkOptions(options);
  return async (request, reply) => {
    try {
      request.verified = await verifier.verifyAuthorization(request.headers.authorization, options);
      return undefined;
    } catch (error) {
      const problem = problemOf(error);
      if (!problem) throw error;
      return reply.code(problem.status).headers(problem.headers).send(JSON.stringify(problem.body));
    }
  };
}
