import { Global, Module } from '@nestjs/common';

import { MacKeys } from './mac-keys.js';
import { SealedKeysRepository } from './sealed-keys.repository.js';

/** Keys that outlive a change of the master key, for every feature that has some. */
@Global()
@Module({ providers: [MacKeys, SealedKeysRepository], exports: [MacKeys, SealedKeysRepository] })
export class SealedKeysModule {}
