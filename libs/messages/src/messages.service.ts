import { Inject, Injectable, Logger } from '@nestjs/common';

import { AuditTrail, auditValues } from '#libs/security/audit';
import { type IdempotencyLock, inUse } from '#libs/platform/idempotency';
import type { RequestSource, Principal } from '#libs/platform/access';
import { type Config, CONFIG } from '#libs/platform/config';
import { isUuid, uuidV7 } from '#libs/platform/crypto';
import { DatabaseClock, rethrowViolation } from '#libs/platform/database';
import { AppError } from '#libs/platform/errors';
import { QueryCursors, timePosition, toRfc3339 } from '#libs/platform/contract';

import { LinkTokens } from './links/link-tokens.js';
import { assertMayRead, readerIdOf, senderOf } from './message-access.js';
import { type Binding, MessageCipher } from './message-cipher.js';
import { type Allowance, type MessageRow, MessagesRepository, type SentRow } from './messages.repository.js';
import {
  type CreatedMessage,
  type CreateMessage,
  type ListSent,
  messageLimitBytes,
  type MessageView,
  type RevealedMessage,
  type SentMessage,
  type SentPage,
} from './messages.schema.js';

const sentCursors = new QueryCursors({ list: 'sent-messages' }, timePosition);

/** Messages that only their URL opens. All faults of a URL are `message-not-found`. */
@Injectable()
export class MessagesService {
  readonly #logger = new Logger('Messages');

  constructor(
    private readonly messages: MessagesRepository,
    private readonly tokens: LinkTokens,
    private readonly cipher: MessageCipher,
    private readonly trail: AuditTrail,
    private readonly clock: DatabaseClock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * With a `lock` the answer is kept for a retry of the request.
   * @throws AppError `body-too-large`, `too-many-messages`, `invalid-request` (unknown recipient)
   */
  async create(
    input: CreateMessage,
    source: RequestSource,
    lock?: IdempotencyLock<CreatedMessage>,
  ): Promise<CreatedMessage> {
    const { body, expiresIn, maxReads = null, recipientId = null } = input;
    const text = Buffer.from(body, 'utf8');
    assertSize(text);
    const { sender, senderId } = senderOf(source.caller);
    const { token, hash: tokenHash } = this.tokens.make();
    const createdMs = Math.floor(this.clock.nowMs());
    const binding: Binding = { id: uuidV7(createdMs), expiresMs: createdMs + expiresIn * 1000, recipientId, maxReads };
    const sealed = this.cipher.seal(text, token, binding);
    const message = { ...binding, ...sealed, tokenHash, sender, senderId, size: text.length, createdMs };
    const event = { event: 'message-created', userId: senderId ?? undefined } as const;
    const audit = auditValues(event, source);
    const url = `${this.config.PUBLIC_URL}/m#${token}`;
    const answer = { url, id: binding.id, expiresAt: new Date(binding.expiresMs).toISOString() };
    const kept = lock?.values(answer, senderId ?? undefined);
    const done = await this.messages
      .create(message, this.#allowanceOf(source.caller), audit, kept)
      .catch(rethrowUnknown);
    if (done === 'no-room') throw new AppError('too-many-messages', { detail: this.#fullText(source.caller) });
    if (done === 'lost') throw inUse();
    this.trail.tell(event, source);
    return answer;
  }

  /**
   * What a message is, with its body when reads are not limited.
   * @throws AppError `message-not-found`, `forbidden`
   */
  async view(token: string, caller: Principal): Promise<MessageView> {
    assertMayRead(caller);
    const row = await this.messages.view(this.tokens.hash(token), readerIdOf(caller));
    if (!row) throw new AppError('message-not-found');
    return messageView(row, row.body === null ? null : this.#open(row, token));
  }

  /** Uses up one read and gives the body. @throws AppError `message-not-found`, `forbidden` */
  async reveal(token: string, source: RequestSource): Promise<RevealedMessage> {
    assertMayRead(source.caller);
    const readerId = readerIdOf(source.caller);
    const event = { event: 'message-revealed', userId: readerId ?? undefined } as const;
    const audit = auditValues(event, source);
    const row = await this.messages.consumeRead(this.tokens.hash(token), readerId, audit);
    if (!row) throw new AppError('message-not-found');
    this.trail.tell(event, source);
    const body = this.#open(row, token);
    return { body, expiresAt: new Date(row.expires_ms).toISOString(), readsLeft: row.reads_left };
  }

  /**
   * Readers and sender may name a message by its token, the sender also by its id.
   * @throws AppError `message-not-found`, `forbidden`
   */
  async remove(tokenOrId: string, source: RequestSource): Promise<void> {
    const isById = isUuid(tokenOrId);
    if (!isById) assertMayRead(source.caller, 'messages:write');
    const readerId = readerIdOf(source.caller);
    const sender = source.caller.kind === 'anonymous' ? null : senderOf(source.caller).sender;
    const event = { event: 'message-deleted', userId: readerId ?? undefined } as const;
    const audit = auditValues(event, source);
    const isGone = isById
      ? await this.messages.removeById(tokenOrId, sender, audit)
      : await this.messages.removeByToken(this.tokens.hash(tokenOrId), { readerId, sender }, audit);
    if (!isGone) throw new AppError('message-not-found');
    this.trail.tell(event, source);
  }

  /** The caller's messages that live, newest first. @throws AppError `invalid-cursor` */
  async listSent({ limit, cursor }: ListSent, caller: Principal): Promise<SentPage> {
    const position = cursor === undefined ? undefined : sentCursors.decode(cursor);
    const found = await this.messages.findSent(senderOf(caller).sender, limit + 1, position);
    const { rows, nextCursor } = sentCursors.cut(found, limit, (row) => [row.created_ms, row.id]);
    return { items: rows.map(sentView), nextCursor };
  }

  #open(row: MessageRow, token: string): string {
    const { id, recipient_id: recipientId, max_reads: maxReads, expires_ms: expiresMs, sealed_key, body } = row;
    try {
      const sealed = { sealedKey: Buffer.from(sealed_key ?? []), body: Buffer.from(body ?? []) };
      return this.cipher.open(sealed, token, { id, expiresMs, recipientId, maxReads }).toString('utf8');
    } catch (cause) {
      const event = 'a message was changed in the database: it does not open';
      this.#logger.error({ messageId: id, err: cause, event });
      throw new AppError('message-not-found', { cause });
    }
  }

  #allowanceOf(caller: Principal): Allowance {
    const { config } = this;
    return caller.kind === 'service'
      ? { count: config.MESSAGE_LIMIT_SERVICE_COUNT, bytes: config.MESSAGE_LIMIT_SERVICE_BYTES }
      : { count: config.MESSAGE_LIMIT_USER_COUNT, bytes: config.MESSAGE_LIMIT_USER_BYTES };
  }

  #fullText(caller: Principal): string {
    const { count, bytes } = this.#allowanceOf(caller);
    return `You may have ${count} messages, read ones too, with ${bytes} bytes together. Delete some, or wait until they expire.`;
  }
}

const messageView = (row: MessageRow, body: string | null): MessageView => ({ id: row.id, body, ...commonView(row) });

function sentView(row: SentRow): SentMessage {
  const { id, reads, last_read_ms: lastReadMs } = row;
  return { id, ...commonView(row), reads, lastReadAt: lastReadMs === null ? null : toRfc3339(lastReadMs) };
}

const commonView = (row: MessageRow | SentRow) => ({
  createdAt: toRfc3339(row.created_ms),
  expiresAt: toRfc3339(row.expires_ms),
  maxReads: row.max_reads,
  readsLeft: row.reads_left,
  recipientId: row.recipient_id,
});

function assertSize(text: Buffer): void {
  if (text.length <= messageLimitBytes) return;
  const detail = `A message has at most 64 KiB (${messageLimitBytes} bytes in UTF-8); this one has ${text.length}.`;
  throw new AppError('body-too-large', { detail });
}

const rethrowUnknown = rethrowViolation({
  messages_sender_id_foreign: (cause) => new AppError('invalid-token', { cause }),
  messages_recipient_id_foreign: (cause) => {
    const fieldError = { path: 'recipientId', message: 'There is no user with this id.', code: 'unknown-user' };
    return new AppError('invalid-request', { errors: [fieldError], cause });
  },
});
