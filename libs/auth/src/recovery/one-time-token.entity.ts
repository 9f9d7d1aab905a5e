import { defineEntity, p } from '@mikro-orm/sql';

import { UserEntity } from '#libs/users';

/** What a one-time token is good for. */
export const purposes = ['email-verification', 'password-reset'] as const;
export type Purpose = (typeof purposes)[number];

/**
 * A link and a code that were mailed together: two secrets for one use. `id` is that of the entry
 * of the outbox that asked for them. `emailKey` is the address that they went to. The token is
 * stored as SHA-256; the code, which is short, under a keyed hash, and not any more after five
 * wrong tries. A row that has ended is kept for the hour in which mails to an address are counted.
 */
export const OneTimeTokenEntity = defineEntity({
  name: 'OneTimeToken',
  tableName: 'one_time_tokens',
  indexes: [
    { name: 'one_time_tokens_email_key_index', properties: ['emailKey'] },
    { name: 'one_time_tokens_user_id_index', properties: ['user'] },
    { name: 'one_time_tokens_created_at_index', properties: ['createdAt'] },
  ],
  uniques: [{ name: 'one_time_tokens_token_hash_unique', properties: ['tokenHash'] }],
  checks: [
    {
      name: 'one_time_tokens_purpose_check',
      expression: "purpose in ('email-verification', 'password-reset')",
    },
  ],
  properties: {
    id: p.uuid().primary(),
    purpose: p.text().$type<Purpose>(),
    user: () => p.manyToOne(UserEntity).fieldNames('user_id').deleteRule('cascade'),
    emailKey: p.text(),
    tokenHash: p.blob(),
    codeHash: p.blob().nullable(),
    wrongCodes: p.integer().default(0),
    createdAt: p.datetime().columnType('timestamptz(3)').defaultRaw('now()'),
    endedAt: p.datetime().columnType('timestamptz(3)').nullable(),
  },
});
