import { Global, Module } from '@nestjs/common';

import { MacKeys } from './mac-keys.service.js';
import { SealedKeys } from './sealed-keys.repository.js';

/** Keys that outlive a change of the master key, for every feature that has some. */
@Global()
@Module({ providers: [MacKeys, SealedKeys], exports: [MacKeys, SealedKeys] })
export class SealedKeysModule {}
