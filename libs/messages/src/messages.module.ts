import { Module } from '@nestjs/common';

import { AuditModule } from '#libs/security/audit';
import { IdempotencyModule } from '#libs/platform/idempotency';

import { LinkKeys } from './links/link-keys.js';
import { LinkTokens } from './links/link-tokens.js';
import { MessageCipher } from './message-cipher.js';
import { MangledLinksController } from './mangled-links.controller.js';
import { MessagePagesController } from './message-pages.controller.js';
import { MessagesController } from './messages.controller.js';
import { MessagesPersonalData } from './messages.personal-data.js';
import { MessagesRepository } from './messages.repository.js';
import { MessagesService } from './messages.service.js';
import { MessagesSweep } from './messages.sweep.js';

@Module({
  imports: [AuditModule, IdempotencyModule],
  controllers: [MessagesController, MessagePagesController, MangledLinksController],
  providers: [
    LinkKeys,
    LinkTokens,
    MessageCipher,
    MessagesPersonalData,
    MessagesRepository,
    MessagesService,
    MessagesSweep,
  ],
  exports: [LinkKeys],
})
export class MessagesModule {}
