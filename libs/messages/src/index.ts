export { LinkTokens, tokenAtStart, tokenInLink } from './links/link-tokens.js';
export { MessageEntity } from './message.entity.js';
export { MessagesModule } from './messages.module.js';
