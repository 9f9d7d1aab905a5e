import { type DynamicModule, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';

import { AuthModule } from '#libs/auth';
import { GraphqlModule } from '#libs/graphql';
import { HealthModule } from '#libs/health';
import { InvitationsModule } from '#libs/invitations';
import { MailModule } from '#libs/mail';
import { MessagesModule } from '#libs/messages';
import { MetricsModule } from '#libs/metrics';
import { AccessGuard } from '#libs/platform/access';
import { type Config, ConfigModule } from '#libs/platform/config';
import { CryptoModule, type MasterKey } from '#libs/platform/crypto';
import { DatabaseModule } from '#libs/platform/database';
import { HttpModule } from '#libs/platform/http';
import { PagesModule } from '#libs/pages';
import { PersonalDataModule } from '#libs/platform/personal-data';
import { OutboxModule } from '#libs/platform/outbox';
import { MonitoringModule } from '#libs/platform/monitoring';
import { RevocationFeedModule } from '#libs/security/revocation';
import { RateLimitGuard, RateLimitsModule } from '#libs/security/rate-limits';
import { SealedKeysModule } from '#libs/platform/sealed-keys';
import { schema } from '#libs/migrations';
import { ServicesModule } from '#libs/services';
import { UserImportModule } from '#libs/user-import';
import { AvatarsModule, UsersModule } from '#libs/users';

import { DocsController } from './openapi/docs.controller.js';
import { OpenApiService } from './openapi/openapi.service.js';
import { StartPageController } from './start-page/start-page.controller.js';

/** The parts of the service. */
@Module({})
export class AppModule {
  static forRoot(config: Config, masterKey: MasterKey): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ConfigModule.forRoot(config),
        MonitoringModule,
        CryptoModule.forRoot(masterKey),
        DatabaseModule.forRoot(schema),
        SealedKeysModule,
        HttpModule,
        PersonalDataModule,
        OutboxModule,
        MailModule,
        ServicesModule,
        UsersModule,
        AuthModule,
        RevocationFeedModule,
        AvatarsModule,
        InvitationsModule,
        MessagesModule,
        PagesModule,
        UserImportModule,
        HealthModule,
        MetricsModule,
        RateLimitsModule,
        GraphqlModule.forRoot(config),
      ],
      controllers: [DocsController, StartPageController],
      providers: [
        OpenApiService,
        AccessGuard,
        { provide: APP_GUARD, useExisting: AccessGuard },
        { provide: APP_GUARD, useExisting: RateLimitGuard },
      ],
    };
  }
}
