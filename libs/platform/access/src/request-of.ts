import type { ArgumentsHost } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** What the resolvers of one GraphQL request share. */
export type RequestContext = { readonly request: FastifyRequest; readonly reply: FastifyReply };

/** Whether a resolver is running, not a route. */
export const isGraphql = (host: ArgumentsHost): boolean => host.getType<string>() === 'graphql';

/** The request behind a route or a resolver. */
export const requestOf = (host: ArgumentsHost): FastifyRequest =>
  isGraphql(host) ? contextOf(host).request : host.switchToHttp().getRequest<FastifyRequest>();

/** The reply behind a route or a resolver. */
export const replyOf = (host: ArgumentsHost): FastifyReply =>
  isGraphql(host) ? contextOf(host).reply : host.switchToHttp().getResponse<FastifyReply>();

/** A resolver is called with its parent, its arguments, the context and what was selected. */
const contextOf = (host: ArgumentsHost): RequestContext => host.getArgByIndex<RequestContext>(2);

/** Whether the guards have already let the request in, before its body was read. */
export const isAdmitted = (host: ArgumentsHost): boolean => requestOf(host).isAdmitted;
