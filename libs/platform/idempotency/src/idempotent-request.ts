import { Readable } from 'node:stream';

import { applyDecorators, createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { callerName, type CallerNow, callerNow, type RequestContext } from '#libs/platform/access';
import { AppError } from '#libs/platform/errors';
import { ApiProblems, pathOf } from '#libs/platform/http';

/** A request under an `Idempotency-Key`. */
export type IdempotentRequest = {
  /** Caller, route and key. A retry has the same; two callers never share a name. */
  readonly name: string;
  /** Query and body as JSON with sorted members; without the body when it is a stream. */
  readonly body: string;
  /** Says `Idempotency-Replayed: true` to the caller. */
  readonly markReplayed: () => void;
  /** Checks the caller again, since a retry may wait long for the first request. */
  readonly callerNow: CallerNow;
};

/** Documents that a route takes the header. */
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

/** Gives the route's `IdempotentRequest`, or undefined without the header. */
export const Idempotent = createParamDecorator(
  (_: undefined, context: ExecutionContext): IdempotentRequest | undefined => {
    const http = context.switchToHttp();
    const [request, reply] = [http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>()];
    const body = request.body instanceof Readable ? [request.query] : [request.query, request.body];
    return idempotentRequestOf({ request, reply }, [request.method, pathOf(request.url)], body);
  },
);

/**
 * The `IdempotentRequest` for one operation, or undefined without the header.
 * @param operation its name, beside the caller (for strangers: their address) and the key
 * @param body its input, as far as it is known
 * @throws AppError `invalid-idempotency-key`
 */
export function idempotentRequestOf(
  { request, reply }: RequestContext,
  operation: readonly string[],
  body: unknown,
): IdempotentRequest | undefined {
  const key = parseKey(request.headers['idempotency-key']);
  if (key === undefined) return undefined;
  const caller = callerName(request.principal ?? { kind: 'anonymous' });
  return {
    name: JSON.stringify([caller === 'anonymous' ? request.clientAddress : caller, ...operation, key]),
    body: canonical(body),
    markReplayed: () => void reply.header('idempotency-replayed', 'true'),
    callerNow: callerNow(request),
  };
}

/**
 * Takes the key bare or as a quoted string (draft-ietf-httpapi-idempotency-key-header §2.1):
 * clients send both.
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
