export { audienceKey, audienceSchema, wantedAudienceSchema } from './audience.schema.js';
export { emailLimit, faultOfEmail, toEmailKey } from './email-address.js';
export { escapeHtml } from './escape-html.js';
export { instantSchema } from './instant.schema.js';
export { pastedTokenMeta, pastedTokenSchema } from './pasted-token.schema.js';
export { permissionListSchema } from './permission.schema.js';
export { pageCursorSchema, pageLimitSchema, QueryCursors, type TimePosition, timePosition } from './query-cursors.js';
export { isVisible, mustBeVisible, textSchema } from './text.schema.js';
export { toRfc3339 } from './to-rfc3339.js';
