import { AuditEntity } from '#libs/audit';
import { LoginDelayEntity, SessionEntity, SigningKeyEntity } from '#libs/auth';
import type { DatabaseSchema } from '#libs/platform/database';
import { RevocationEntity } from '#libs/revocation';
import { ServiceEntity } from '#libs/services';
import { UserEntity } from '#libs/users';

import { First } from './migrations/0001-first.js';

/** Every table and how it came about; a test compares the two. */
export const schema: DatabaseSchema = {
  entities: [
    AuditEntity,
    LoginDelayEntity,
    RevocationEntity,
    SessionEntity,
    ServiceEntity,
    SigningKeyEntity,
    UserEntity,
  ],
  migrations: [{ name: '0001-first', class: First }],
};
