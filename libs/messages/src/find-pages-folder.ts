import { existsSync } from 'node:fs';

/** Where the files of the pages are. @throws Error when they are not there */
export function findPagesFolder(): URL {
  const candidates = [
    // from source
    new URL('../pages/', import.meta.url),
    // from dist/libs/messages/src, as the compiler leaves the files where they are
    new URL('../../../../libs/messages/pages/', import.meta.url),
  ];
  const found = candidates.find((candidate) => existsSync(new URL('read.html', candidate)));
  if (!found) throw new Error(`the pages of messages are missing; looked at ${candidates.map(String).join(' and ')}`);
  return found;
}
