import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiExtension, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';

import {
  type IdempotentRequest,
  Idempotent,
  type IdempotencyLock,
  Idempotency,
  IdempotencyKey,
} from '#libs/platform/idempotency';
import { Caller, Source, OptionalAuth, type RequestSource, type Principal, Requires } from '#libs/platform/access';
import { ApiProblems, linkNext, varyBy } from '#libs/platform/http';
import { RateClass } from '#libs/security/rate-limits';

import {
  type CreatedMessage,
  createdMessageSchema,
  type CreateMessage,
  createMessageSchema,
  type ListSent,
  listSentSchema,
  messageSchema,
  type MessageView,
  type RevealedMessage,
  revealedMessageSchema,
  type SentPage,
  sentPageSchema,
} from './messages.schema.js';
import { MessagesService } from './messages.service.js';

/** JSON may write each byte of the 64 KiB as an escape of six characters. */
const bodyLimit = 400 * 1024;
const senders = { roles: ['user', 'admin'], scopes: ['messages:write'] } as const;
const byToken = { isPathSecret: true } as const;
/** The route also answers plain text; `apps/api/src/openapi/` documents that. */
const AlsoAsText = (): MethodDecorator => ApiExtension('x-also-text', true);

@ApiTags('messages')
@Controller('v1/messages')
export class MessagesController {
  constructor(
    private readonly messages: MessagesService,
    private readonly idempotency: Idempotency,
  ) {}

  @Post()
  @Requires(senders)
  @RateClass('write')
  @IdempotencyKey()
  @RouteConfig({ bodyLimit })
  @ApiOperation({ operationId: 'createMessage', summary: 'Leave an encrypted message at a URL that nobody can guess' })
  @ApiResponse({ status: 201, standardSchema: createdMessageSchema, description: 'Its URL, shown once' })
  @ApiProblems('invalid-request', 'body-too-large', 'rate-limited', 'too-many-messages')
  create(
    @Body({ schema: createMessageSchema }) input: CreateMessage,
    @Source() source: RequestSource,
    @Idempotent() request: IdempotentRequest | undefined,
  ): Promise<CreatedMessage> {
    return this.idempotency.run(request, (lock: IdempotencyLock<CreatedMessage> | undefined) =>
      this.messages.create(input, source, lock),
    );
  }

  @Get()
  @Requires(senders)
  @ApiOperation({ operationId: 'listMessages', summary: 'What you have sent, newest first, and whether it was read' })
  @ApiResponse({
    status: 200,
    standardSchema: sentPageSchema,
    description: 'A page, without bodies; `Link` names the next',
  })
  @ApiProblems('invalid-request', 'invalid-cursor', 'cursor-of-another-query')
  async list(
    @Query({ schema: listSentSchema }) query: ListSent,
    @Caller() caller: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SentPage> {
    const page = await this.messages.listSent(query, caller);
    linkNext(reply, page.nextCursor);
    return page;
  }

  @Get(':token')
  @OptionalAuth({ scopes: ['messages:read'] })
  @RouteConfig(byToken)
  @AlsoAsText()
  @ApiOperation({ operationId: 'getMessage', summary: 'What a message is; its body if reads are unlimited' })
  @ApiResponse({ status: 200, standardSchema: messageSchema, description: 'The message; no read is used up' })
  @ApiProblems('message-not-found')
  async get(
    @Param('token') token: string,
    @Caller() caller: Principal,
    @Headers('accept') accept: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<MessageView | string> {
    const message = await this.messages.view(token, caller);
    return message.body === null ? message : asAccepted({ ...message, body: message.body }, accept, reply);
  }

  @Post(':token/reveal')
  @HttpCode(200)
  @OptionalAuth({ scopes: ['messages:read'] })
  @RouteConfig(byToken)
  @AlsoAsText()
  @ApiOperation({ operationId: 'revealMessage', summary: 'Use up one read and get the body for it' })
  @ApiResponse({ status: 200, standardSchema: revealedMessageSchema, description: 'The body' })
  @ApiProblems('message-not-found')
  async reveal(
    @Param('token') token: string,
    @Source() source: RequestSource,
    @Headers('accept') accept: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<RevealedMessage | string> {
    return asAccepted(await this.messages.reveal(token, source), accept, reply);
  }

  @Delete(':token')
  @HttpCode(204)
  @OptionalAuth()
  @RouteConfig(byToken)
  @ApiOperation({ operationId: 'deleteMessage', summary: 'Delete a message; its sender may name it by its id too' })
  @ApiResponse({ status: 204, description: 'Gone' })
  @ApiProblems('message-not-found')
  async remove(@Param('token') token: string, @Source() source: RequestSource): Promise<void> {
    await this.messages.remove(token, source);
  }
}

/** Answers JSON, or plain text that a browser cannot take for anything else. */
function asAccepted<T extends { readonly body: string }>(
  message: T,
  accept: string | undefined,
  reply: FastifyReply,
): T | string {
  varyBy(reply, 'accept');
  if (!prefersText(accept)) return message;
  void reply.headers({
    'content-type': 'text/plain; charset=utf-8',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'; sandbox",
    'content-disposition': 'inline',
  });
  return message.body;
}

/**
 * Whether an `Accept` header (RFC 9110 §12.5.1) prefers plain text to JSON: it must name
 * `text/plain` with more weight than JSON. Clients that accept anything get JSON.
 */
function prefersText(accept = ''): boolean {
  const ranges = accept.slice(0, 1_024).split(',').map(parseRange);
  const qualityOf = (wanted: string): number => ranges.find(({ type }) => type === wanted)?.quality ?? 0;
  const text = qualityOf('text/plain');
  return text > 0 && text > qualityOf('application/json');
}

function parseRange(range: string): { readonly type: string; readonly quality: number } {
  const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
  const quality = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
  return { type, quality: quality === undefined ? 1 : Number(quality) || 0 };
}
