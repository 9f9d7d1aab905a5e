export { MacKey, MacKeys } from './mac-keys.service.js';
export { SealedKeyEntity } from './sealed-key.entity.js';
export { SealedKeysModule } from './sealed-keys.module.js';
export { SealedKeys } from './sealed-keys.repository.js';
