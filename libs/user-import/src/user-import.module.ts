import { Module } from '@nestjs/common';

import { AuditModule } from '#libs/security/audit';
import { IdempotencyModule } from '#libs/platform/idempotency';
import { UsersModule } from '#libs/users';

import { BulkExportService } from './export/bulk-export.service.js';
import { BatchWriter } from './import/batch-writer.js';
import { ImportController } from './import/import.controller.js';
import { ImportRequestsService } from './import/import-requests.service.js';
import { UserImportService } from './import/user-import.service.js';

@Module({
  imports: [AuditModule, IdempotencyModule, UsersModule],
  controllers: [ImportController],
  providers: [BatchWriter, BulkExportService, ImportRequestsService, UserImportService],
  exports: [BulkExportService, UserImportService],
})
export class UserImportModule {}
