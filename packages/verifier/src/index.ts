export type { Claims } from './claims.js';
export type { RevocationView } from './feed/revocation-view.js';
export type { Algorithm } from './keys/algorithms.js';
export type { Staleness, StalenessAction, VerifierOptions } from './options.js';
export { type ProblemAnswer, problemOf } from './problem.js';
export {
  type ProtectedResource,
  protectedResourceMetadata,
  type ProtectedResourceMetadata,
  protectedResourceMetadataUrl,
} from './protected-resource.js';
export type { Revocation, RevocationKind, TokenFact } from './revocations/index.js';
export { createVerifier, type Verified, type Verifier, type VerifierEvents, type VerifierView } from './verifier.js';
export type { VerifyOptions } from './verify-options.js';
export { VerifyError, type VerifyErrorCode, verifyErrorCodes } from './verify-error.js';
