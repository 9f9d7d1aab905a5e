import { z } from 'zod';

/** Text that PostgreSQL and JSON can hold: well-formed, without NUL. Lengths in characters (code points). */
export const text = ({ min = 0, max }: { min?: number; max: number }) =>
  z
    .string()
    // code points are at most UTF-16 units: bounds the work below for hostile lengths
    .max(max * 2, `must have at most ${max} characters`)
    .refine((value) => value.isWellFormed() && !value.includes('\0'), 'must be well-formed text without NUL')
    .refine((value) => [...value].length >= min, `must have at least ${min} characters`)
    .refine((value) => [...value].length <= max, `must have at most ${max} characters`)
    .meta({ minLength: min, maxLength: max });
