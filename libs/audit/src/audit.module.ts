import { Module } from '@nestjs/common';

import { AuditPersonalData } from './audit.personal-data.js';
import { AuditController } from './audit.controller.js';
import { AuditService } from './audit.service.js';
import { AuditTrail } from './audit-trail.service.js';

@Module({
  controllers: [AuditController],
  providers: [AuditPersonalData, AuditService, AuditTrail],
  exports: [AuditService, AuditTrail],
})
export class AuditModule {}
