import { pageLimitSchema } from '#libs/platform/contract';

import { parseInput } from './parsed.pipe.js';

/** The `first` of a list, 1 to 100 as over REST. @throws AppError `invalid-request` */
export function pageSizeOf(first: number): number {
  // the usual sizes need no schema, which would run for every user of a page
  if (first >= 1 && first <= 100) return first;
  return parseInput(pageLimitSchema, String(first));
}
