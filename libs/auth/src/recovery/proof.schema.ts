import { z } from 'zod';

import { pastedTokenMeta, pastedTokenSchema, textSchema } from '#libs/platform/contract';
import { emailSchema } from '#libs/users';

import type { Proof } from './one-time-tokens.repository.js';

/** The token of a link: 40 hexadecimal digits in the end. */
const tokenSchema = pastedTokenSchema
  .pipe(z.string().regex(/^[0-9a-f]{40}$/, 'must be the 40 hexadecimal digits of the link'))
  .meta(pastedTokenMeta);

/** A code as people type it: 8 digits in the end, with blanks and hyphens between as they like. */
const codeSchema = textSchema({ max: 50 })
  .transform((text) => text.normalize('NFKC').replaceAll(/[\s\p{Pd}]+/gu, ''))
  .pipe(z.string().regex(/^\d{8}$/, 'must be the 8 digits of the mail'))
  .meta({ description: 'The 8 digits of the mail', example: '4711 0815' });

/** The members of a body that proves something: the link, or the code with its address. */
export const proofFields = {
  token: tokenSchema.optional(),
  email: emailSchema.optional(),
  code: codeSchema.optional(),
};

type Given = {
  readonly token?: string | undefined;
  readonly email?: string | undefined;
  readonly code?: string | undefined;
};

/** The proof that was given; what is missing, or too much, becomes an issue of the body. */
export function toProof({ token, email, code }: Given, context: z.RefinementCtx): Proof {
  if (token !== undefined && email === undefined && code === undefined) return { token };
  if (token === undefined && email !== undefined && code !== undefined) return { email, code };
  context.addIssue({ code: 'custom', input: undefined, ...faultOf({ token, email, code }) });
  return z.NEVER;
}

function faultOf({ token, email, code }: Given): { path: string[]; message: string; params?: { code: string } } {
  if (token !== undefined) return { path: ['token'], message: 'comes without `email` and `code`' };
  const params = { code: 'required' };
  if (email === undefined && code === undefined) {
    return { path: ['token'], message: 'is required, or `email` and `code`', params };
  }
  if (email === undefined) return { path: ['email'], message: 'is required with `code`', params };
  return { path: ['code'], message: 'is required with `email`', params };
}
