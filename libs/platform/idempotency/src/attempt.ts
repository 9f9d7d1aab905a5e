import { Readable } from 'node:stream';

import { applyDecorators, createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { callerName, type CallerNow, callerNow, type RequestContext } from '#libs/platform/access';
import { AppError } from '#libs/platform/errors';
import { ApiProblems, pathOf } from '#libs/platform/http';

/** One request under an `Idempotency-Key`. */
export type Attempt = {
  /** Caller, route and key: what must be the same for a retry. Strangers share no keys. */
  readonly name: string;
  /** Query and body in one spelling, whatever the order of their members; of a body that streams, nothing. */
  readonly body: string;
  /** Says `Idempotency-Replayed: true` to the caller. */
  readonly markReplayed: () => void;
  /** An attempt may wait long for the one before it. */
  readonly callerNow: CallerNow;
};

/** Says of a route that it takes the header. */
export const IdempotencyKey = (): MethodDecorator =>
  applyDecorators(
    ApiHeader({
      name: 'Idempotency-Key',
      required: false,
      description:
        'A new UUID for each thing to do; a retry with the same key and body gets the first answer, for 24 h',
      schema: { type: 'string', minLength: 1, maxLength: 255 },
    }),
    ApiProblems('invalid-idempotency-key', 'idempotency-key-in-use', 'idempotency-key-reused'),
  );

/** The `Attempt` of the request, or undefined without the header. Anonymous callers are told apart by address. */
export const Attempted = createParamDecorator((_: undefined, context: ExecutionContext): Attempt | undefined => {
  const http = context.switchToHttp();
  const [request, reply] = [http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>()];
  const body = request.body instanceof Readable ? [request.query] : [request.query, request.body];
  return attemptOf({ request, reply }, [request.method, pathOf(request.url)], body);
});

/**
 * The `Attempt` at one thing that a request asks for, or undefined without the header.
 * @param what names the thing beside the caller and the key
 * @param body what it is done with, as far as it is known
 * @throws AppError `invalid-idempotency-key`
 */
export function attemptOf(
  { request, reply }: RequestContext,
  what: readonly string[],
  body: unknown,
): Attempt | undefined {
  const key = parseKey(request.headers['idempotency-key']);
  if (key === undefined) return undefined;
  const caller = callerName(request.principal ?? { kind: 'anonymous' });
  return {
    name: JSON.stringify([caller === 'anonymous' ? request.clientAddress : caller, ...what, key]),
    body: canonical(body),
    markReplayed: () => void reply.header('idempotency-replayed', 'true'),
    callerNow: callerNow(request),
  };
}

/**
 * As it is or as a quoted string (draft-ietf-httpapi-idempotency-key-header §2.1): both are in use.
 * @throws AppError `invalid-idempotency-key`
 */
function parseKey(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  const key = /^"(.*)"$/.exec(String(header))?.[1] ?? String(header);
  if (!/^[\x21-\x7e]{1,255}$/.test(key)) throw new AppError('invalid-idempotency-key');
  return key;
}

const canonical = (body: unknown): string => JSON.stringify(body, sortMembers) ?? '';

function sortMembers(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([left], [right]) => (left < right ? -1 : 1)));
}
