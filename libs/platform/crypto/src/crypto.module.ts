import { type DynamicModule, Module } from '@nestjs/common';

import { MasterKey } from './sealing-key.js';

/** Gives the master key to whoever injects `MasterKey`. */
@Module({})
export class CryptoModule {
  static forRoot(key: MasterKey): DynamicModule {
    return {
      module: CryptoModule,
      global: true,
      providers: [{ provide: MasterKey, useValue: key }],
      exports: [MasterKey],
    };
  }
}
