export { AuditEntity } from './audit.entity.js';
export { AuditModule } from './audit.module.js';
export { type AuditEvent, AuditTrail } from './audit-trail.service.js';
