import { Controller, Delete, Get, HttpCode, Param, Query } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';

import { isUser, type RequestSource, Source } from '#libs/platform/access';
import { ApiProblems } from '#libs/platform/http';

import { SessionEndService } from './session-end.service.js';
import {
  type EndSessions,
  endSessionsSchema,
  sessionIdSchema,
  type SessionList,
  sessionListSchema,
  type SessionOwner,
  sessionOwnerSchema,
} from './sessions.schema.js';
import { ownerOf } from './session-owner.js';
import { SessionsService } from './sessions.service.js';

const ended = { cause: 'session-ended', event: 'session-ended' } as const;

@ApiTags('sessions')
@Controller('v1/auth/sessions')
export class SessionsController {
  constructor(
    private readonly sessions: SessionsService,
    private readonly sessionEnd: SessionEndService,
  ) {}

  @Get()
  @ApiOperation({ operationId: 'listSessions', summary: 'Where you are signed in; administrators may ask for a user' })
  @ApiResponse({ status: 200, standardSchema: sessionListSchema, description: 'Living sessions, last used first' })
  @ApiProblems('invalid-request')
  list(
    @Query({ schema: sessionOwnerSchema }) { userId }: SessionOwner,
    @Source() source: RequestSource,
  ): Promise<SessionList> {
    return this.sessions.list(ownerOf(userId, source.caller), source);
  }

  @Delete()
  @HttpCode(204)
  @ApiOperation({ operationId: 'endSessions', summary: 'End all sessions, or all but the one that asks' })
  @ApiResponse({ status: 204, description: 'They are over, and their tokens dead' })
  @ApiProblems('invalid-request')
  async endAll(
    @Query({ schema: endSessionsSchema }) { userId, except }: EndSessions,
    @Source() source: RequestSource,
  ): Promise<void> {
    const which = except && isUser(source.caller) ? { except: source.caller.sessionId } : 'all';
    await this.sessionEnd.end(ownerOf(userId, source.caller), which, { ...ended, source });
  }

  @Delete(':sessionId')
  @HttpCode(204)
  @ApiOperation({ operationId: 'endSession', summary: 'End one session' })
  @ApiResponse({ status: 204, description: 'It is over, and its tokens dead' })
  @ApiProblems('invalid-request', 'session-not-found')
  async end(
    @Param('sessionId', { schema: sessionIdSchema }) sessionId: string,
    @Query({ schema: sessionOwnerSchema }) { userId }: SessionOwner,
    @Source() source: RequestSource,
  ): Promise<void> {
    await this.sessions.end(sessionId, ownerOf(userId, source.caller), { ...ended, source });
  }
}
