import { Module } from '@nestjs/common';

import { AuditModule } from '#libs/audit';
import { PasswordsModule } from '#libs/passwords';
import { RevocationModule } from '#libs/revocation';

import { FirstAdmin } from './first-admin.service.js';
import { UserChangesService } from './user-changes.service.js';
import { UsersController } from './users.controller.js';
import { UsersRepository } from './users.repository.js';
import { UsersService } from './users.service.js';

@Module({
  imports: [AuditModule, PasswordsModule, RevocationModule],
  controllers: [UsersController],
  providers: [UsersRepository, UsersService, UserChangesService, FirstAdmin],
  exports: [UsersRepository, FirstAdmin],
})
export class UsersModule {}
