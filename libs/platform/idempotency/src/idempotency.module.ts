import { Module } from '@nestjs/common';

import { IdempotencyPersonalData } from './idempotency.personal-data.js';
import { Idempotency } from './idempotency.service.js';

@Module({ providers: [Idempotency, IdempotencyPersonalData], exports: [Idempotency] })
export class IdempotencyModule {}
