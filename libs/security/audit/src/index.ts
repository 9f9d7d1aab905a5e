export { AuditBursts } from './audit-bursts.service.js';
export { auditInsert, auditValues } from './audit-insert.js';
export { AuditEntity } from './audit.entity.js';
export { type AuditEvent, auditEvents } from './audit-event.js';
export { AuditModule } from './audit.module.js';
export { type AuditEventView, listAuditSchema } from './audit.schema.js';
export { AuditService } from './audit.service.js';
export { erasedIdOf } from './erased-id.js';
export { AuditTrail } from './audit-trail.service.js';
