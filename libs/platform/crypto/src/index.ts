export { CryptoModule } from './crypto.module.js';
export { digest, digestBytes, isSame, linkToken, randomToken } from './digest.js';
export { loadMasterKey, type LoadedMasterKey } from './load-master-key.js';
export { ensurePrivateFolder } from './private-folder.js';
export { MasterKey, SealingKey, WrongMasterKeyError } from './sealing-key.js';
export { isUuid, uuidV7 } from './uuid-v7.js';
