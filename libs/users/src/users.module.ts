import { Global, Module } from '@nestjs/common';

import { IdempotencyModule } from '#libs/platform/idempotency';
import { PicturesController, PicturesModule } from '#libs/platform/pictures';
import { RoleHolders, RolesModule } from '#libs/roles';
import { AuditModule } from '#libs/security/audit';
import { PasswordsModule } from '#libs/security/passwords';
import { RevocationModule } from '#libs/security/revocation';

import { AdminsService } from './account/admins.service.js';
import { BulkUsersRepository } from './account/bulk-users.repository.js';
import { NewAccountRules } from './account/new-account-rules.js';
import { PersonalDataExportController } from './account/personal-data-export.controller.js';
import { PersonalDataExportService } from './account/personal-data-export.service.js';
import { RegistrationController } from './account/registration.controller.js';
import { RegistrationService } from './account/registration.service.js';
import { RoleHoldersRepository } from './account/role-holders.repository.js';
import { UserAddresses } from './account/user-addresses.service.js';
import { UserChangesService } from './account/user-changes.service.js';
import { UserViews } from './account/user-views.js';
import { UsersController } from './account/users.controller.js';
import { UsersRepository, UserTurns } from './account/users.repository.js';
import { UsersService } from './account/users.service.js';
import { UserAvatarController } from './avatar/user-avatar.controller.js';
import { UserAvatarService } from './avatar/user-avatar.service.js';
import { TrigramSampleRepository } from './list/trigram-sample.repository.js';
import { UserListController } from './list/user-list.controller.js';
import { UserListRepository } from './list/user-list.repository.js';
import { UserListService } from './list/user-list.service.js';
import { ProfileCheckRepository } from './profile/profile-check.repository.js';
import { profileSchemasProvider } from './profile/profile-schemas.js';

const services = [
  AdminsService,
  BulkUsersRepository,
  ProfileCheckRepository,
  profileSchemasProvider,
  UserAddresses,
  UsersRepository,
  UsersService,
  UserChangesService,
  UserListService,
  UserTurns,
  UserViews,
  { provide: RoleHolders, useClass: RoleHoldersRepository },
];

/**
 * Global, so that roles can ask for `RoleHolders` without knowing who answers. It asks for
 * `AddressProofs` in the same way.
 */
@Global()
@Module({
  imports: [AuditModule, IdempotencyModule, PasswordsModule, PicturesModule, RevocationModule, RolesModule],
  controllers: [PersonalDataExportController, RegistrationController, UserListController, UsersController],
  providers: [
    ...services,
    NewAccountRules,
    PersonalDataExportService,
    RegistrationService,
    TrigramSampleRepository,
    UserListRepository,
  ],
  exports: services,
})
export class UsersModule {}

/** A second module, so that its routes come after those of auth in the OpenAPI document. */
@Module({
  imports: [AuditModule, PicturesModule, UsersModule],
  controllers: [PicturesController, UserAvatarController],
  providers: [UserAvatarService],
})
export class AvatarsModule {}
