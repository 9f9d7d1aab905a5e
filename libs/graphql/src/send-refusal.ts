import type { FastifyReply, FastifyRequest } from 'fastify';

import { type AppError, toProblem } from '#libs/platform/errors';
import { toPublicPath } from '#libs/platform/http';

/** GraphQL over HTTP, §4; clients that name it know that a status other than 200 may come. */
const graphqlResponse = 'application/graphql-response+json';

/** As Apollo's server answers what it does not execute: the problem of REST, with its text as the message. */
export function sendRefusal(refusal: AppError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  request.errorCode = refusal.code;
  const { detail, ...extensions } = toProblem(refusal, {
    path: toPublicPath(request, '/graphql'),
    requestId: request.id,
  });
  const isNewer = request.headers.accept?.includes(graphqlResponse) === true;
  return reply
    .status(refusal.status)
    .headers({
      ...refusal.options.headers,
      'content-type': `${isNewer ? graphqlResponse : 'application/json'}; charset=utf-8`,
    })
    .send(JSON.stringify({ errors: [{ message: detail, extensions }] }));
}
