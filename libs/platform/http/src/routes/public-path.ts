import type { FastifyInstance } from 'fastify';

declare module 'fastify' {
  interface FastifyInstance {
    /** The path of `PUBLIC_URL` without a slash at its end; usually nothing. A proxy in front takes it off. */
    publicPath: string;
  }
}

/** @param publicUrl without a slash at its end */
export function setPublicPath(server: FastifyInstance, publicUrl: string): void {
  server.decorate('publicPath', new URL(publicUrl).pathname.replace(/\/$/, ''));
}

/** A path of ours as the world asks for it: what answers name is resolved by clients, which know nothing of the proxy. */
export const toPublicPath = ({ server }: { readonly server: FastifyInstance }, path: string): string =>
  server.publicPath + path;
