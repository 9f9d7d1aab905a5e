export { Idempotency } from './idempotency.js';
export { IdempotencyKeyEntity } from './idempotency-key.entity.js';
export { IdempotencyLock, inUse, KeptAnswer } from './idempotency-lock.js';
export { IdempotencyModule } from './idempotency.module.js';
export { keepAnswer } from './idempotency.sql.js';
export { Idempotent, IdempotencyKey, type IdempotentRequest, idempotentRequestOf } from './idempotent-request.js';
