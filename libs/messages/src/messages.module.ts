import { Module } from '@nestjs/common';

import { AuditModule } from '#libs/security/audit';
import { IdempotencyModule } from '#libs/platform/idempotency';

import { LinkTokens } from './links/link-tokens.js';
import { MessageCipher } from './message-cipher.js';
import { MessageLifetime } from './message-lifetime.js';
import { MessagesController } from './messages.controller.js';
import { MessagesPersonalData } from './messages.personal-data.js';
import { MessagesRepository } from './messages.repository.js';
import { MessagesService } from './messages.service.js';

@Module({
  imports: [AuditModule, IdempotencyModule],
  controllers: [MessagesController],
  providers: [LinkTokens, MessageCipher, MessageLifetime, MessagesPersonalData, MessagesRepository, MessagesService],
})
export class MessagesModule {}
