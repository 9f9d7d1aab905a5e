import { Global, Module } from '@nestjs/common';

import { OutboxSender } from './outbox.sender.js';
import { OutboxService } from './outbox.service.js';

@Global()
@Module({ providers: [OutboxService, OutboxSender], exports: [OutboxService, OutboxSender] })
export class OutboxModule {}
