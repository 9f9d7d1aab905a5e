export { type Attempt, Attempted, attemptOf, IdempotencyKey } from './attempt.js';
export { Claim, inUse, keepAnswer } from './claim.js';
export { IdempotencyKeyEntity } from './idempotency-key.entity.js';
export { IdempotencyModule } from './idempotency.module.js';
export { Idempotency } from './idempotency.service.js';
export { KeptAnswer } from './lease.js';
