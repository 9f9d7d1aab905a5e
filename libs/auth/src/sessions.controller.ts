import { Body, Controller, Delete, Get, HttpCode, Param, Put, Query, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { FreshAuthentication, Source, isUser, type RequestSource, Requires } from '#libs/platform/access';
import { ApiProblems } from '#libs/platform/http';
import { RateClass } from '#libs/security/rate-limits';
import { userIdSchema } from '#libs/users';

import {
  type ChangePassword,
  changePasswordSchema,
  type EndSessions,
  endSessionsSchema,
  sessionIdSchema,
  type SessionList,
  sessionListSchema,
  type SessionOwner,
  sessionOwnerSchema,
  type TokenPair,
  tokenPairSchema,
} from './auth.schema.js';
import { LoginDelayLift } from './login/login-delay-lift.service.js';
import { LoginDoor } from './login/login-door.js';
import { ownerOf } from './sessions/session-access.js';
import { type Ended, SessionEnd } from './sessions/session-end.service.js';
import { SessionsService } from './sessions/sessions.service.js';

const ended = { cause: 'session-ended', event: 'session-ended' } as const;

@ApiTags('sessions')
@Controller('v1')
export class SessionsController {
  constructor(
    private readonly sessions: SessionsService,
    private readonly sessionEnd: SessionEnd,
    private readonly door: LoginDoor,
    private readonly delayLift: LoginDelayLift,
  ) {}

  @Get('auth/sessions')
  @ApiOperation({ operationId: 'listSessions', summary: 'Where you are signed in; administrators may ask for a user' })
  @ApiResponse({ status: 200, standardSchema: sessionListSchema, description: 'Living sessions, last used first' })
  @ApiProblems('invalid-request')
  list(
    @Query({ schema: sessionOwnerSchema }) { userId }: SessionOwner,
    @Source() source: RequestSource,
  ): Promise<SessionList> {
    return this.sessions.list(ownerOf(userId, source.caller), source);
  }

  @Delete('auth/sessions')
  @HttpCode(204)
  @ApiOperation({ operationId: 'endSessions', summary: 'End all sessions, or all but the one that asks' })
  @ApiResponse({ status: 204, description: 'They are over, and their tokens dead' })
  @ApiProblems('invalid-request')
  async endAll(
    @Query({ schema: endSessionsSchema }) { userId, except }: EndSessions,
    @Source() source: RequestSource,
  ): Promise<void> {
    const which: Ended = except && isUser(source.caller) ? { except: source.caller.sessionId } : 'all';
    await this.sessionEnd.end(ownerOf(userId, source.caller), which, { ...ended, source });
  }

  @Delete('auth/sessions/:sessionId')
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

  @Put('users/:id/password')
  @RateClass('login', 'hash')
  @RouteConfig({ hashesPassword: true })
  @ApiOperation({
    operationId: 'changePassword',
    summary: 'Change a password; the other sessions of the user end',
    description:
      'Your own: the session that asks goes on with the tokens in the answer, and its refresh token of before is dead. ' +
      'The cookie of the answer keeps this device known to the delays after failed logins; those of before do not count. ' +
      "Somebody else's: all of their sessions end.",
  })
  @ApiResponse({ status: 200, standardSchema: tokenPairSchema, description: 'Your own was changed: the next tokens' })
  @ApiResponse({ status: 204, description: "Somebody else's was changed" })
  @ApiProblems(
    'invalid-request',
    'password-refused',
    'wrong-password',
    'fresh-authentication-required',
    'user-not-found',
    'overloaded',
  )
  async changePassword(
    @Param('id', { schema: userIdSchema }) id: string,
    @Body({ schema: changePasswordSchema }) change: ChangePassword,
    @Source() source: RequestSource,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<TokenPair | undefined> {
    const pair = await this.door.changePassword({ id, change, source }, { request, reply });
    if (!pair) reply.status(204);
    return pair;
  }

  @Delete('users/:id/login-delay')
  @HttpCode(204)
  @Requires({ roles: ['admin'] })
  @FreshAuthentication()
  @ApiOperation({
    operationId: 'liftLoginDelay',
    summary: 'Forget the failed logins of a user, and the delay they caused',
  })
  @ApiResponse({ status: 204, description: 'Nothing delays the next login' })
  @ApiProblems('invalid-request', 'user-not-found')
  async liftLoginDelay(
    @Param('id', { schema: userIdSchema }) id: string,
    @Source() source: RequestSource,
  ): Promise<void> {
    await this.delayLift.lift(id, source);
  }
}
