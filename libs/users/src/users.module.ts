import { Module } from '@nestjs/common';

import { AuditModule } from '#libs/security/audit';
import { IdempotencyModule } from '#libs/platform/idempotency';
import { PasswordsModule } from '#libs/security/passwords';
import { RevocationModule } from '#libs/security/revocation';

import { BulkUsersRepository } from './bulk-users.repository.js';
import { FirstAdmin } from './first-admin.service.js';
import { OperatorAdmin } from './operator-admin.service.js';
import { UserExportController } from './user-export.controller.js';
import { UserExport } from './user-export.service.js';
import { UserAvatar } from './user-avatar.service.js';
import { UserListRepository } from './user-list.repository.js';
import { UserListService } from './user-list.service.js';
import { TrigramSample } from './user-search/trigram-sample.js';
import { UserTurns } from './user-turns.js';
import { UserChangesService } from './user-changes.service.js';
import { UsersController } from './users.controller.js';
import { UsersRepository } from './users.repository.js';
import { UsersService } from './users.service.js';

@Module({
  imports: [AuditModule, IdempotencyModule, PasswordsModule, RevocationModule],
  controllers: [UserExportController, UsersController],
  providers: [
    BulkUsersRepository,
    UsersRepository,
    UsersService,
    UserChangesService,
    UserExport,
    UserListRepository,
    UserListService,
    TrigramSample,
    UserAvatar,
    UserTurns,
    FirstAdmin,
    OperatorAdmin,
  ],
  exports: [
    BulkUsersRepository,
    UsersRepository,
    UsersService,
    UserChangesService,
    UserListService,
    UserAvatar,
    UserTurns,
    FirstAdmin,
    OperatorAdmin,
  ],
})
export class UsersModule {}
