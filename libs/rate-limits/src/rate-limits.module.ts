import { Module } from '@nestjs/common';
import { ThrottlerModule } from '@nestjs/throttler';

import { MemoryStorage } from './memory.storage.js';
import { RateLimitGuard } from './rate-limit.guard.js';

@Module({
  imports: [ThrottlerModule.forRootAsync({ useFactory: () => ({ throttlers: [], storage: new MemoryStorage() }) })],
  providers: [RateLimitGuard],
  exports: [RateLimitGuard],
})
export class RateLimitsModule {}
