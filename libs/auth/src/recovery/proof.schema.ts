import { z } from 'zod';

import { textSchema } from '#libs/platform/contract';

/** What mail programs and people put around a token that they take from a text or a link. */
const around = /^[^0-9a-z]+|[^0-9a-z]+$/gi;

/** The token of a link: 40 hexadecimal digits in the end. The whole link is taken, too. */
export const tokenSchema = textSchema({ max: 500 })
  .transform((text) =>
    text
      .slice(text.lastIndexOf('#') + 1)
      .replaceAll(around, '')
      .toLowerCase(),
  )
  .pipe(z.string().regex(/^[0-9a-f]{40}$/, 'must be the 40 hexadecimal digits of the link'))
  .meta({ description: 'What stands behind the `#` of the link', example: '3f6c0f1f5d6f0e0c5a1fb7d5a3e0c9b28d4e7a10' });

/** A code as people type it: 8 digits in the end, with blanks and hyphens between as they like. */
export const codeSchema = textSchema({ max: 50 })
  .transform((text) => text.normalize('NFKC').replaceAll(/[\s\p{Pd}]+/gu, ''))
  .pipe(z.string().regex(/^\d{8}$/, 'must be the 8 digits of the mail'))
  .meta({ description: 'The 8 digits of the mail', example: '4711 0815' });
