import { Module } from '@nestjs/common';

import { AuditModule } from '#libs/security/audit';
import { IdempotencyModule } from '#libs/platform/idempotency';
import { UsersModule } from '#libs/users';

import { RowExport } from './export/row-export.service.js';
import { BatchWriter } from './import/batch-writer.service.js';
import { ImportController } from './import/import.controller.js';
import { ImportRequests } from './import/import-requests.service.js';
import { ProfileUpdates } from './import/profile-updates.service.js';
import { UserImport } from './import/user-import.service.js';

@Module({
  imports: [AuditModule, IdempotencyModule, UsersModule],
  controllers: [ImportController],
  providers: [BatchWriter, ImportRequests, ProfileUpdates, RowExport, UserImport],
  exports: [RowExport, UserImport],
})
export class TransferModule {}
