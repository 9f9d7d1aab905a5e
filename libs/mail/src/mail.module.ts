import { Module } from '@nestjs/common';

import { AuditModule } from '#libs/security/audit';

import { DevMailController } from './dev/dev-mail.controller.js';
import { MailEventsController } from './mail-events.controller.js';
import { MailService } from './mail.service.js';
import { UndeliverableAddressesRepository } from './undeliverable-addresses.repository.js';
import { UndeliverableAddressesService } from './undeliverable-addresses.service.js';

@Module({
  imports: [AuditModule],
  controllers: [MailEventsController, DevMailController],
  providers: [MailService, UndeliverableAddressesRepository, UndeliverableAddressesService],
  exports: [MailService, UndeliverableAddressesService],
})
export class MailModule {}
