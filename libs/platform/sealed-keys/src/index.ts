export { MacKey, MacKeys } from './mac-keys.js';
export { SealedKeyEntity } from './sealed-key.entity.js';
export { SealedKeysModule } from './sealed-keys.module.js';
export { SealedKeysRepository } from './sealed-keys.repository.js';
