export { LIMIT_STORE, type LimitStore } from './limit-store.js';
export { RateClass } from './rate-class.decorator.js';
export { RateLimitGuard } from './rate-limit.guard.js';
export { RateLimitState } from './rate-limit-state.js';
export { RateLimitsModule } from './rate-limits.module.js';
export { serviceKey } from './rate-policies.js';
export { ServiceUsageLog } from './service-usage-log.js';
