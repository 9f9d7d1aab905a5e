import { z } from 'zod';

/**
 * Text that PostgreSQL and JSON can hold: well-formed, without NUL. Lengths in characters (code
 * points).
 */
export const textSchema = ({ min = 0, max }: { min?: number; max: number }) =>
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

/**
 * In code points. Only what has surrogates must be taken apart: it is every text of every request.
 */
const lengthOf = (value: string): number => (/[\uD800-\uDBFF]/.test(value) ? [...value].length : value.length);

// Letters, digits, punctuation and symbols, less those that are drawn as nothing: fillers and
// joiners by their property, the blank pattern of Braille, the blanks of Egyptian and the empty
// note head by name.
const visible = /[[\p{L}\p{N}\p{P}\p{S}]--\p{Default_Ignorable_Code_Point}--[\u2800\u{13441}\u{13442}\u{1D159}]]/v;

/**
 * Whether there is anything to see in a text: blanks, controls, joiners and marks without a letter
 * show nothing. An empty text pretends nothing, and is for a least length to refuse.
 */
export const isVisible = (value: string): boolean => value === '' || visible.test(value);
export const mustBeVisible = 'must have something visible in it';
