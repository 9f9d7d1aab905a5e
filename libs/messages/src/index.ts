export { LinkKeys } from './links/link-keys.js';
export { MessageEntity } from './message.entity.js';
export { MessagesModule } from './messages.module.js';
