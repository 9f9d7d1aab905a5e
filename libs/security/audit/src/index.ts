export { AuditBursts } from './audit-bursts.js';
export { type AuditEvent, auditEvents, erasedIdOf } from './audit-event.js';
export { type Actor, AuditTrail } from './audit-trail.js';
export { AuditEntity } from './audit.entity.js';
export { AuditModule } from './audit.module.js';
export { type AuditEventView, listAuditSchema } from './audit.schema.js';
export { AuditService } from './audit.service.js';
export { auditInsert, auditValues } from './audit.sql.js';
