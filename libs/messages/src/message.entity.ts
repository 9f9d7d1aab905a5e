import { defineEntity, p } from '@mikro-orm/sql';

import { UserEntity } from '#libs/users';

/**
 * A message at a URL. The URL's token, which is not in the row, is needed to open it. The last read
 * deletes `sealedKey` and `body`; the rest stays until `expiresAt`, so that the sender sees that
 * the message was read. `sender` is `user:<id>` or `service:<name>`; `size` is in bytes.
 */
export const MessageEntity = defineEntity({
  name: 'Message',
  tableName: 'messages',
  uniques: [{ name: 'messages_token_hash_unique', properties: ['tokenHash'] }],
  indexes: [
    { name: 'messages_expires_at_index', properties: ['expiresAt'] },
    { name: 'messages_sender_created_at_id_index', properties: ['sender', 'createdAt', 'id'] },
    { name: 'messages_sender_expires_at_size_index', properties: ['sender', 'expiresAt', 'size'] },
    { name: 'messages_sender_id_index', properties: ['senderUser'] },
    { name: 'messages_recipient_id_index', properties: ['recipient'] },
  ],
  properties: {
    id: p.uuid().primary(),
    tokenHash: p.blob().hidden(),
    sender: p.text(),
    senderUser: () => p.manyToOne(UserEntity).fieldNames('sender_id').nullable().deleteRule('cascade'),
    recipient: () => p.manyToOne(UserEntity).fieldNames('recipient_id').nullable().deleteRule('cascade'),
    sealedKey: p.blob().nullable().hidden(),
    body: p.blob().nullable().hidden(),
    size: p.integer(),
    maxReads: p.integer().nullable(),
    readsLeft: p.integer().nullable(),
    reads: p.integer().default(0),
    lastReadAt: p.datetime().columnType('timestamptz(3)').nullable(),
    createdAt: p.datetime().columnType('timestamptz(3)').defaultRaw('now()'),
    expiresAt: p.datetime().columnType('timestamptz(3)'),
  },
});
