import type { FastifyInstance, FastifyRequest } from 'fastify';

import { AppError } from '#libs/platform/errors';

import { parseJson } from './json-parser.js';

/** Forms are taken, instead of JSON, where a route says so in its `consumes`. */
export const formMediaType = 'application/x-www-form-urlencoded';
const decoder = new TextDecoder('utf-8', { fatal: true });

/** JSON, or forms where a route says so (RFC 7009 §2.1 and RFC 7662 §2.1 ask for them); anything else is 415. */
export function registerBodyParsers(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  const types = ['application/json', 'application/merge-patch+json'];
  server.addContentTypeParser(types, { parseAs: 'buffer' }, (request, body, done) => {
    settle(done, () => {
      const wanted = request.routeOptions.config.consumes;
      if (wanted) throw new AppError('unsupported-media-type', { detail: `Send ${wanted.join(' or ')}.` });
      return parseJson(utf8Only(request, body));
    });
  });
  server.addContentTypeParser(formMediaType, { parseAs: 'buffer' }, (request, body, done) => {
    settle(done, () => {
      if (!request.routeOptions.config.consumes?.includes(formMediaType)) throw new AppError('unsupported-media-type');
      return parseForm(utf8Only(request, body));
    });
  });
}

/** A parameter may come once (RFC 6749 §3.1). */
function parseForm(bytes: Buffer): Record<string, string> {
  const pairs = [...new URLSearchParams(decodeUtf8(bytes))];
  const fields = Object.fromEntries(pairs);
  if (Object.keys(fields).length !== pairs.length) {
    throw new AppError('invalid-request', { detail: 'A form field came more than once.' });
  }
  return fields;
}

function decodeUtf8(bytes: Buffer): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new AppError('invalid-encoding', { cause });
  }
}

function utf8Only(request: FastifyRequest, body: string | Buffer): Buffer {
  const charset = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(request.headers['content-type'] ?? '')?.[1];
  if (charset && charset.toLowerCase() !== 'utf-8') {
    throw new AppError('unsupported-media-type', { detail: 'Only UTF-8 is taken.' });
  }
  return Buffer.isBuffer(body) ? body : Buffer.from(body);
}

function settle(done: (error: Error | null, body?: unknown) => void, parse: () => unknown): void {
  try {
    done(null, parse());
  } catch (error) {
    done(error instanceof Error ? error : new Error(String(error)));
  }
}
