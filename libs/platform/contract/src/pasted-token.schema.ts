import { textSchema } from './text.schema.js';

/** What mail programs and people put around a token that they take from a text or a link. */
const around = /^[^0-9a-z]+|[^0-9a-z]+$/gi;

/** The token of a link as people copy it: the whole link will do, in capitals and with marks. */
export const pastedTokenSchema = textSchema({ max: 500 }).transform((text) =>
  text
    .slice(text.lastIndexOf('#') + 1)
    .replaceAll(around, '')
    .toLowerCase(),
);

/** What the document says of one. */
export const pastedTokenMeta = {
  description: 'What stands behind the `#` of the link',
  example: '3f6c0f1f5d6f0e0c5a1fb7d5a3e0c9b28d4e7a10',
};
