export { type Attempt, Attempted, IdempotencyKey } from './attempt.js';
export { IdempotencyKeyEntity } from './idempotency-key.entity.js';
export { IdempotencyModule } from './idempotency.module.js';
export { Idempotency, type Keep } from './idempotency.service.js';
