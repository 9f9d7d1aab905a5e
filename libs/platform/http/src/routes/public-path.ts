import type { FastifyInstance, FastifyReply } from 'fastify';

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * The path of `PUBLIC_URL` without a slash at its end; usually nothing. A proxy in front takes
     * it off.
     */
    publicPath: string;
  }
}

/** @param publicUrl without a slash at its end */
export function setPublicPath(server: FastifyInstance, publicUrl: string): void {
  server.decorate('publicPath', new URL(publicUrl).pathname.replace(/\/$/, ''));
}

/**
 * A path of ours as the world asks for it: what answers name is resolved by clients, which know
 * nothing of the proxy.
 */
export const toPublicPath = ({ server }: { readonly server: FastifyInstance }, path: string): string =>
  server.publicPath + path;

/** Names the next page in the `Link` header (RFC 8288): the same query with another cursor. */
export function linkNext(reply: FastifyReply, nextCursor: string | null): void {
  if (nextCursor === null) return;
  const [path = '', query = ''] = reply.request.url.split('?');
  const parameters = new URLSearchParams(query);
  parameters.set('cursor', nextCursor);
  void reply.header('link', `<${toPublicPath(reply, path)}?${parameters.toString()}>; rel="next"`);
}
