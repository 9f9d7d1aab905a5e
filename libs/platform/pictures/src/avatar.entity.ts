import { defineEntity, p } from '@mikro-orm/sql';

const picture = () => p.blob().nullable();

/**
 * The pictures of one or more users under their SHA-256; the bytes are null when they are in an
 * object store. `unlinkedSince` is set while no user has them: from the upload to the change of the
 * user. A trigger on `users` removes the row with its last user (migration 0006).
 */
export const AvatarEntity = defineEntity({
  name: 'Avatar',
  tableName: 'avatars',
  indexes: [{ name: 'avatars_unlinked_since_index', properties: ['unlinkedSince'] }],
  properties: {
    hash: p.blob().primary(),
    w64: picture(),
    w256: picture(),
    w512: picture(),
    unlinkedSince: p.datetime().columnType('timestamptz(3)').nullable(),
  },
});

/** Objects in the object store that no user has any more; deleted after the commit. */
export const AvatarDeletionEntity = defineEntity({
  name: 'AvatarDeletion',
  tableName: 'avatar_deletions',
  properties: {
    hash: p.blob().primary(),
    requestedAt: p.datetime().columnType('timestamptz(3)').defaultRaw('now()'),
  },
});
