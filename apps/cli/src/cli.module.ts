import { type DynamicModule, Module } from '@nestjs/common';

import { AuthModule } from '#libs/auth';
import { type Config, ConfigModule } from '#libs/platform/config';
import { CryptoModule, type MasterKey } from '#libs/platform/crypto';
import { DatabaseModule } from '#libs/platform/database';
import { schema } from '#libs/schema';
import { ServicesModule } from '#libs/services';

/** What the operator's commands need of the service. */
@Module({})
export class CliModule {
  static forRoot(config: Config, masterKey: MasterKey): DynamicModule {
    return {
      module: CliModule,
      imports: [
        ConfigModule.forRoot(config),
        CryptoModule.forRoot(masterKey),
        DatabaseModule.forRoot(schema),
        ServicesModule,
        AuthModule,
      ],
    };
  }
}
