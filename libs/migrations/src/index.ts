import { AuditEntity } from '#libs/security/audit';
import {
  LoginChallengeEntity,
  LoginDelayEntity,
  OneTimeTokenEntity,
  RecoveryCodeEntity,
  SecondFactorEntity,
  SessionEntity,
  SettingEntity,
  SigningKeyEntity,
} from '#libs/auth';
import { AvatarDeletionEntity, AvatarEntity } from '#libs/platform/pictures';
import { IdempotencyKeyEntity } from '#libs/platform/idempotency';
import type { DatabaseSchema } from '#libs/platform/database';
import { InvitationEntity } from '#libs/invitations';
import { UndeliverableAddressEntity } from '#libs/mail';
import { MessageEntity } from '#libs/messages';
import { SealedKeyEntity } from '#libs/platform/sealed-keys';
import { AccessTokenLifetimeEntity, FeedEpochEntity, RevocationEntity } from '#libs/security/revocation';
import { RoleEntity, RoleGenerationEntity, RoleSetEntity } from '#libs/roles';
import { ServiceEntity, ServiceUsageEntity } from '#libs/services';
import { OutboxEntryEntity } from '#libs/platform/outbox';
import { UserEntity } from '#libs/users';

import { First } from './migrations/0001-first.js';
import { RatePlans } from './migrations/0002-rate-plans.js';
import { AuditCaller } from './migrations/0003-audit-caller.js';
import { Messages } from './migrations/0004-messages.js';
import { UserLists } from './migrations/0005-user-lists.js';
import { Avatars } from './migrations/0006-avatars.js';
import { Import } from './migrations/0007-import.js';
import { IdempotencyKeys } from './migrations/0008-idempotency-keys.js';
import { SessionClient } from './migrations/0009-session-client.js';
import { AccessTokenLifetimes } from './migrations/0011-access-token-lifetimes.js';
import { Trust } from './migrations/0012-trust.js';
import { AuthenticatedAt } from './migrations/0013-authenticated-at.js';
import { SearchFolding } from './migrations/0017-search-folding.js';
import { NoticesAndCounts } from './migrations/0018-notices-and-counts.js';
import { RolesAndAudiences } from './migrations/0019-roles-and-audiences.js';
import { FeedEpoch } from './migrations/0021-feed-epoch.js';
import { Outbox } from './migrations/0022-outbox.js';
import { WaysBackIn } from './migrations/0023-ways-back-in.js';
import { UserIndexes } from './migrations/0020-user-indexes.js';

/** Every table and how it came about; a test compares the two. */
export const schema: DatabaseSchema = {
  entities: [
    AccessTokenLifetimeEntity,
    AuditEntity,
    AvatarDeletionEntity,
    AvatarEntity,
    FeedEpochEntity,
    IdempotencyKeyEntity,
    InvitationEntity,
    LoginChallengeEntity,
    LoginDelayEntity,
    MessageEntity,
    OneTimeTokenEntity,
    OutboxEntryEntity,
    RecoveryCodeEntity,
    RevocationEntity,
    RoleEntity,
    RoleGenerationEntity,
    RoleSetEntity,
    SealedKeyEntity,
    SecondFactorEntity,
    SessionEntity,
    ServiceEntity,
    ServiceUsageEntity,
    SettingEntity,
    SigningKeyEntity,
    UndeliverableAddressEntity,
    UserEntity,
  ],
  migrations: [
    { name: '0001-first', class: First },
    { name: '0002-rate-plans', class: RatePlans },
    { name: '0003-audit-caller', class: AuditCaller },
    { name: '0004-messages', class: Messages },
    { name: '0005-user-lists', class: UserLists },
    { name: '0006-avatars', class: Avatars },
    { name: '0007-import', class: Import },
    { name: '0008-idempotency-keys', class: IdempotencyKeys },
    { name: '0009-session-client', class: SessionClient },
    { name: '0011-access-token-lifetimes', class: AccessTokenLifetimes },
    { name: '0012-trust', class: Trust },
    { name: '0013-authenticated-at', class: AuthenticatedAt },
    { name: '0017-search-folding', class: SearchFolding },
    { name: '0018-notices-and-counts', class: NoticesAndCounts },
    { name: '0019-roles-and-audiences', class: RolesAndAudiences },
    { name: '0020-user-indexes', class: UserIndexes },
    { name: '0021-feed-epoch', class: FeedEpoch },
    { name: '0022-outbox', class: Outbox },
    { name: '0023-ways-back-in', class: WaysBackIn },
  ],
};
