export { everyGeneration, type Revocation, type RevocationKind, revocationKinds } from './revocation.js';
export { isRevoked, RevocationTable } from './revocation-table.js';
export {
  type FactClaims,
  isNamed,
  saltedFingerprint,
  subjectIdOf,
  type TokenFact,
  tokenFact,
  tokenFacts,
} from './token-fact.js';
