export { AuditEntity } from './audit.entity.js';
export { type AuditEvent } from './audit-event.js';
export { AuditModule } from './audit.module.js';
export { AuditTrail } from './audit-trail.service.js';
