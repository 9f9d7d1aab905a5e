export { AccessTokenLifetimeEntity } from './access-token-lifetime.entity.js';
export { FeedEpochEntity } from './feed/feed-epoch.entity.js';
export { RevocationFeedModule } from './revocation-feed.module.js';
export { RevocationEntity } from './revocation.entity.js';
export { RevocationModule } from './revocation.module.js';
export { RevocationsService, type Revoke } from './revocations.service.js';
export type { EndOfTrust, Revocation } from './revocation.js';
export { everyGeneration, type TokenFact, tokenFacts } from '#verifier/revocations';
