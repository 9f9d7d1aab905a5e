export { AccessTokenLifetimeEntity } from './access-token-lifetime.entity.js';
export { RevocationEntity } from './revocation.entity.js';
export { RevocationModule } from './revocation.module.js';
export { Revocations, type Revoke } from './revocations.service.js';
export { everyGeneration, type Revocation, type TokenFacts } from './revocation.js';
