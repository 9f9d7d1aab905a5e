import { type DynamicModule, Module } from '@nestjs/common';

import { AuthModule } from '#libs/auth';
import { MailModule } from '#libs/mail';
import { MessagesModule } from '#libs/messages';
import { type Config, ConfigModule } from '#libs/platform/config';
import { CryptoModule, type MasterKey } from '#libs/platform/crypto';
import { DatabaseModule } from '#libs/platform/database';
import { PersonalDataModule } from '#libs/platform/personal-data';
import { RateLimitsModule } from '#libs/security/rate-limits';
import { OutboxModule } from '#libs/platform/outbox';
import { MonitoringModule } from '#libs/platform/monitoring';
import { SealedKeysModule } from '#libs/platform/sealed-keys';
import { schema } from '#libs/migrations';
import { ServicesModule } from '#libs/services';
import { UserImportModule } from '#libs/user-import';

/** What the operator's commands need of the service. */
@Module({})
export class CliModule {
  static forRoot(config: Config, masterKey: MasterKey): DynamicModule {
    return {
      module: CliModule,
      imports: [
        ConfigModule.forRoot(config),
        MonitoringModule,
        CryptoModule.forRoot(masterKey),
        DatabaseModule.forRoot(schema),
        SealedKeysModule,
        PersonalDataModule,
        OutboxModule,
        MailModule,
        RateLimitsModule,
        ServicesModule,
        AuthModule,
        MessagesModule,
        UserImportModule,
      ],
    };
  }
}
