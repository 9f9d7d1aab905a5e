export { OutboxEntryEntity } from './outbox-entry.entity.js';
export { OutboxModule } from './outbox.module.js';
export { OutboxSender, UndeliverableError } from './outbox.sender.js';
export { type ListedEntry, type OutboxMessage, OutboxService } from './outbox.service.js';
export { outboxInsert } from './outbox.sql.js';
