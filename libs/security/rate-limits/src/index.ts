export { LIMIT_STORE, type LimitStore } from './limit-store.js';
export { RateClass, RateLimitGuard, ServiceUsageLog } from './rate-limit.guard.js';
export { RateLimitState } from './rate-limit-state.js';
export { RateLimitsModule } from './rate-limits.module.js';
export { serviceKey } from './rate-policies.js';
