import { type DynamicModule, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';

import { AuthModule } from '#libs/auth';
import { HealthModule } from '#libs/health';
import { AccessGuard } from '#libs/platform/access';
import { type Config, ConfigModule } from '#libs/platform/config';
import { CryptoModule, type MasterKey } from '#libs/platform/crypto';
import { DatabaseModule } from '#libs/platform/database';
import { HttpModule } from '#libs/platform/http';
import { RateLimitGuard, RateLimitsModule } from '#libs/rate-limits';
import { schema } from '#libs/schema';
import { ServicesModule } from '#libs/services';
import { UsersModule } from '#libs/users';

import { DocsController } from './docs.controller.js';
import { OpenApi } from './openapi.service.js';

/** Assembly only: which parts there are. */
@Module({})
export class AppModule {
  static forRoot(config: Config, masterKey: MasterKey): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ConfigModule.forRoot(config),
        CryptoModule.forRoot(masterKey),
        DatabaseModule.forRoot(schema),
        HttpModule,
        ServicesModule,
        UsersModule,
        AuthModule,
        HealthModule,
        RateLimitsModule,
      ],
      controllers: [DocsController],
      providers: [
        OpenApi,
        { provide: APP_GUARD, useClass: AccessGuard },
        { provide: APP_GUARD, useExisting: RateLimitGuard },
      ],
    };
  }
}
