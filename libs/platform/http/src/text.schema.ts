import { z } from 'zod';

/** Text that PostgreSQL and JSON can hold: well-formed, without NUL. Lengths in characters (code points). */
export const text = ({ min = 0, max }: { min?: number; max: number }) =>
  z
    .string()
    // code points are at most UTF-16 units: bounds the work below for hostile lengths
    .max(max * 2, { error: `must have at most ${max} characters`, abort: true })
    .refine((value) => value.isWellFormed() && !value.includes('\0'), 'must be well-formed text without NUL')
    .refine((value) => lengthOf(value) >= min, {
      error: `must have at least ${min} characters`,
      params: { code: 'too-small' },
    })
    .refine((value) => lengthOf(value) <= max, {
      error: `must have at most ${max} characters`,
      params: { code: 'too-big' },
    })
    .meta({ minLength: min, maxLength: max });

/** In code points. Only what has surrogates must be taken apart: it is every text of every request. */
const lengthOf = (value: string): number => (/[\uD800-\uDBFF]/.test(value) ? [...value].length : value.length);
