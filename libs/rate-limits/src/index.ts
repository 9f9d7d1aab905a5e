export { RateClass } from './rate-class.decorator.js';
export { RateLimitGuard } from './rate-limit.guard.js';
export { RateLimitsModule } from './rate-limits.module.js';
