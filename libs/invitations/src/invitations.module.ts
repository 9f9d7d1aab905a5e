import { Module } from '@nestjs/common';

import { MailModule } from '#libs/mail';
import { IdempotencyModule } from '#libs/platform/idempotency';
import { RolesModule } from '#libs/roles';
import { AuditModule } from '#libs/security/audit';
import { UsersModule } from '#libs/users';

import { AcceptanceController } from './acceptance.controller.js';
import { AcceptanceService } from './acceptance.service.js';
import { InvitationsController } from './invitations.controller.js';
import { InvitationsRepository } from './invitations.repository.js';
import { InvitationsService } from './invitations.service.js';

@Module({
  imports: [AuditModule, IdempotencyModule, MailModule, RolesModule, UsersModule],
  controllers: [InvitationsController, AcceptanceController],
  providers: [AcceptanceService, InvitationsRepository, InvitationsService],
  exports: [AcceptanceService, InvitationsService],
})
export class InvitationsModule {}
