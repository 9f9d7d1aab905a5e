import type { FastifyInstance, FastifyRequest } from 'fastify';

import { AppError, type ErrorCode } from '#libs/platform/errors';

import { assertUtf8 } from './content-negotiation.js';
import { parseJson } from './json-parser.js';
import { multipartMediaType } from './multipart-upload.js';

/** Forms are taken, instead of JSON, where a route says so in its `consumes`. */
export const formMediaType = 'application/x-www-form-urlencoded';
const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * Lists of rows, read as they come where a route says so in its `consumes`: the handler gets the
 * stream.
 */
export const rowMediaTypes = [
  'application/x-ndjson',
  'application/ndjson',
  'application/jsonl',
  'text/csv',
  'application/csv',
  'text/x-csv',
  'text/comma-separated-values',
  'text/tab-separated-values',
  // Windows with Excel gives it to every CSV
  'application/vnd.ms-excel',
] as const;

/**
 * JSON, or forms where a route says so (RFC 7009 §2.1 and RFC 7662 §2.1 ask for them); anything
 * else is 415.
 */
export function registerBodyParsers(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  const types = ['application/json', 'application/merge-patch+json'];
  server.addContentTypeParser(types, { parseAs: 'buffer' }, (request, body, done) => {
    settle(done, () => {
      const wanted = request.routeOptions.config.consumes;
      if (wanted && !wanted.includes('application/json')) throw new AppError('unsupported-media-type');
      return parseJson(utf8Only(request, body));
    });
  });
  server.addContentTypeParser(formMediaType, { parseAs: 'buffer' }, (request, body, done) => {
    settle(done, () => {
      assertTaken(request, formMediaType);
      return parseForm(utf8Only(request, body), request.routeOptions.config.whenRepeated);
    });
  });
  for (const type of rowMediaTypes) {
    server.addContentTypeParser(type, (request, body, done) => {
      settle(done, () => {
        assertTaken(request, type);
        assertUtf8(request);
        return body;
      });
    });
  }
  registerMultipart(server);
}

/** Leaves the body where it is: the handler reads it, once the guards have let the caller in. */
function registerMultipart(server: FastifyInstance): void {
  server.addContentTypeParser(multipartMediaType, (request, _payload, done) => {
    settle(done, () => assertTaken(request, multipartMediaType));
  });
}

function assertTaken(request: FastifyRequest, type: string): void {
  if (!request.routeOptions.config.consumes?.includes(type)) throw new AppError('unsupported-media-type');
}

/** A parameter may come once, and one without a value counts as absent (RFC 6749 §3.1). */
function parseForm(bytes: Buffer, whenRepeated: Readonly<Record<string, ErrorCode>> = {}): Record<string, string> {
  const pairs = [...new URLSearchParams(decodeUtf8(bytes))];
  const names = new Set<string>();
  for (const [name] of pairs) {
    const code = Object.hasOwn(whenRepeated, name) ? whenRepeated[name] : undefined;
    if (names.has(name)) {
      throw new AppError(code ?? 'invalid-request', { detail: 'A form field came more than once.' });
    }
    names.add(name);
  }
  return Object.fromEntries(pairs.filter(([, value]) => value !== ''));
}

function decodeUtf8(bytes: Buffer): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new AppError('invalid-encoding', { cause });
  }
}

function utf8Only(request: FastifyRequest, body: string | Buffer): Buffer {
  assertUtf8(request);
  return Buffer.isBuffer(body) ? body : Buffer.from(body);
}

function settle(done: (error: Error | null, body?: unknown) => void, parse: () => unknown): void {
  try {
    done(null, parse());
  } catch (error) {
    done(error instanceof Error ? error : new Error(String(error)));
  }
}
