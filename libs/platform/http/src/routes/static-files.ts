import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

import { applyDecorators, Get, Header } from '@nestjs/common';

import { Public } from '#libs/platform/access';

const mediaTypes = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
} as const;

type Headers = {
  /** Value of `Content-Security-Policy`, for pages. */
  readonly policy?: string;
  /** How long others may keep the file; it is not kept when this is absent. */
  readonly maxAgeSeconds?: number;
};

/** A public route that answers a static file or page, with the headers of its type. */
export const StaticRoute = (
  path: string | string[],
  type: keyof typeof mediaTypes,
  { policy, maxAgeSeconds }: Headers = {},
): MethodDecorator =>
  applyDecorators(
    Get(path),
    Public(),
    Header('content-type', mediaTypes[type]),
    ...(policy === undefined ? [] : [Header('content-security-policy', policy)]),
    ...(maxAgeSeconds === undefined ? [] : [Header('cache-control', `public, max-age=${maxAgeSeconds}`)]),
  );

/**
 * A `Content-Security-Policy` that allows only the named sources, such as `style-src 'self'`:
 * nothing inline, nothing of other hosts that is not named, no frames around the page, and forms
 * to `forms` alone.
 */
export const pagePolicy = (sources: string, forms: "'none'" | "'self'" = "'none'"): string =>
  `default-src 'none'; ${sources}; frame-ancestors 'none'; base-uri 'none'; form-action ${forms}`;

/** The files of a folder, each read from the disk once: most of these routes have no rate limit. */
export class StaticFiles {
  readonly #files = new Map<string, Promise<Buffer>>();

  /** @throws Error when there is no such folder */
  constructor(private readonly folder: URL) {
    if (!existsSync(folder)) throw new Error(`The folder ${folder.href} is missing`);
  }

  read(name: string): Promise<Buffer> {
    const known = this.#files.get(name) ?? readFile(new URL(name, this.folder));
    this.#files.set(name, known);
    return known;
  }
}
