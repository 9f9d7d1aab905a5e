import type { FastifyReply } from 'fastify';

import { AppError } from '#libs/platform/errors';

/** Strong, since the version rises with every change of the answer (RFC 9110 §8.8.3). */
export const etagOf = (version: number): string => `"${version}"`;

/** A check of the version that is there now. @throws AppError `precondition-failed` */
export type Precondition = (version: number) => void;

/** `If-Match` (RFC 9110 §13.1.1): strong comparison; any version will do without the header. */
export function ifMatch(header: string | undefined): Precondition {
  return (version) => {
    if (header === undefined || header.trim() === '*' || tagsIn(header).includes(etagOf(version))) return;
    throw new AppError('precondition-failed');
  };
}

/** `If-None-Match` (RFC 9110 §13.1.2): weak comparison. */
export function isKnownTag(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.trim() === '*' || tagsIn(header).some((tag) => tag.replace(/^W\//, '') === etag);
}

const tagsIn = (header: string): readonly string[] => header.match(/(?:W\/)?"[^"]*"/g) ?? [];

/** The answer depends on this header of the request too, beside others (RFC 9110 §12.5.5). */
export function varyBy(reply: FastifyReply, name: string): void {
  void reply.header('vary', [reply.getHeader('vary') ?? [], name].flat().join(', '));
}
