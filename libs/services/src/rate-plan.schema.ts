import { z } from 'zod';

import { type RateClassName, rateClasses, type RatePlan } from '#libs/platform/access';

const minuteSeconds = 60;

/** For a mid-sized service. A core makes about 48 logins, or some thousand reads, in a second. */
export const defaultPlan: RatePlan = {
  read: { limit: 60_000, windowSeconds: minuteSeconds },
  write: { limit: 12_000, windowSeconds: minuteSeconds },
  login: { limit: 3_000, windowSeconds: minuteSeconds },
  hash: { limit: 1_200, windowSeconds: minuteSeconds },
  upload: { limit: 600, windowSeconds: minuteSeconds },
};

const limit = z.int().min(1).max(1_000_000_000);
const windowSeconds = z.int().min(1).max(86_400);

const partSchema = z.strictObject({ limit: limit.optional(), windowSeconds: windowSeconds.optional() });
const part = partSchema.optional();

/** What differs from the default plan. */
export const planPartsSchema = z
  .strictObject({ read: part, write: part, login: part, hash: part, upload: part })
  .meta({ id: 'RatePlanParts', description: 'Requests per window by class; what is absent has its default' });
export type PlanParts = z.infer<typeof planPartsSchema>;

const partPatch = z
  .strictObject({ limit: limit.nullable().optional(), windowSeconds: windowSeconds.nullable().optional() })
  .nullable()
  .optional();

/** RFC 7396 goes into the members: null gives a class, or a part of it, its default back. */
export const planPatchSchema = z
  .strictObject({ read: partPatch, write: partPatch, login: partPatch, hash: partPatch, upload: partPatch })
  .meta({ id: 'PatchRatePlan', description: 'What is absent stays; null gives the default back' });
export type PlanPatch = z.infer<typeof planPatchSchema>;

const wholeLimit = z.strictObject({ limit, windowSeconds });
export const ratePlanSchema = z
  .strictObject({ read: wholeLimit, write: wholeLimit, login: wholeLimit, hash: wholeLimit, upload: wholeLimit })
  .meta({ id: 'RatePlan', description: 'Requests per window by class' });

/** The plan that the parts stand for. */
export function planOf(parts: PlanParts): RatePlan {
  const whole = (name: RateClassName) => ({ ...defaultPlan[name], ...definedOf(parts[name] ?? {}) });
  return {
    read: whole('read'),
    write: whole('write'),
    login: whole('login'),
    hash: whole('hash'),
    upload: whole('upload'),
  };
}

/** The parts after a merge patch. */
export function patchedParts(parts: PlanParts, patch: PlanPatch): PlanParts {
  const patched: PlanParts = {};
  for (const name of rateClasses) {
    const change = patch[name];
    const merged = change === null ? {} : { ...parts[name], ...definedOf(change ?? {}) };
    const kept = Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== null));
    if (Object.keys(kept).length > 0) patched[name] = partSchema.parse(kept);
  }
  return patched;
}

/** Leaves out members that are undefined: they were not given. */
function definedOf<T extends object>(given: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  const entries = Object.entries(given).filter(([, value]) => value !== undefined);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Object.entries forgets types
  return Object.fromEntries(entries) as { [Key in keyof T]?: Exclude<T[Key], undefined> };
}
