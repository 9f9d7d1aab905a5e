import { AppError } from '#libs/platform/errors';

import type { Precondition } from './user-changes.service.js';

/** Strong: the version rises with every change of what is answered (RFC 9110 §8.8.3). */
export const etagOf = (version: number): string => `"${version}"`;

/** `If-Match` (RFC 9110 §13.1.1): strong comparison; without it any version will do. */
export function ifMatch(header: string | undefined): Precondition {
  return (version) => {
    if (header === undefined || header.trim() === '*' || tagsIn(header).includes(etagOf(version))) return;
    throw new AppError('precondition-failed');
  };
}

/** `If-None-Match` (RFC 9110 §13.1.2): weak comparison. */
export function isNotModified(header: string | undefined, version: number): boolean {
  return isKnownTag(header, etagOf(version));
}

/** As `isNotModified`, for what has no version. */
export function isKnownTag(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.trim() === '*' || tagsIn(header).some((tag) => tag.replace(/^W\//, '') === etag);
}

const tagsIn = (header: string): readonly string[] => header.match(/(?:W\/)?"[^"]*"/g) ?? [];
