import { Module } from '@nestjs/common';

import { AuditBursts } from './audit-bursts.js';
import { AuditController } from './audit.controller.js';
import { AuditRefusals } from './audit-refusals.js';
import { AuditService } from './audit.service.js';
import { AuditTrail } from './audit-trail.js';

@Module({
  controllers: [AuditController],
  providers: [AuditBursts, AuditRefusals, AuditService, AuditTrail],
  exports: [AuditBursts, AuditService, AuditTrail],
})
export class AuditModule {}
