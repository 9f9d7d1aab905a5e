import { toRfc3339 } from '#libs/platform/contract';

import type { MessageRow, SentRow } from './messages.repository.js';
import type { MessageView, SentMessage } from './messages.schema.js';

export function messageView(row: MessageRow, body: string | null): MessageView {
  return { id: row.id, body, ...common(row) };
}

export function sentView(row: SentRow): SentMessage {
  const { id, reads, last_read_ms: lastReadMs } = row;
  return { id, ...common(row), reads, lastReadAt: lastReadMs === null ? null : toRfc3339(lastReadMs) };
}

function common({ created_ms, expires_ms, max_reads, reads_left, recipient_id }: MessageRow | SentRow) {
  return {
    createdAt: toRfc3339(created_ms),
    expiresAt: toRfc3339(expires_ms),
    maxReads: max_reads,
    readsLeft: reads_left,
    recipientId: recipient_id,
  };
}
