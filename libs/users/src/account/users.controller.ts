import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Patch, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';

import { Caller, type Principal, type RequestSource, Requires, Source } from '#libs/platform/access';
import { ApiProblems, etagOf, ifMatch, isKnownTag } from '#libs/platform/http';

import { UserChangesService } from './user-changes.service.js';
import { type VersionedUser, withTag } from './user-view.js';
import {
  type PatchUser,
  patchUserSchema,
  userIdSchema,
  userNameParamSchema,
  userSchema,
  type UserView,
} from './users.schema.js';
import { UsersService } from './users.service.js';

type Reply = FastifyReply;

/** `user-access.ts` narrows this: users who are no administrators may read only themselves. */
const readers = { roles: ['user', 'admin'], scopes: ['users:read'] } as const;
const writers = { roles: ['user', 'admin'], scopes: ['users:write'] } as const;
/** 16 KB of `profile` and `metadata` are up to 48 KB where a client escapes what is not ASCII. */
const bodyLimit = 64 * 1024;

@ApiTags('users')
@Controller('v1/users')
export class UsersController {
  constructor(
    private readonly users: UsersService,
    private readonly changes: UserChangesService,
  ) {}

  @Get('by-user-name/:userName')
  @Requires(readers)
  @ApiOperation({ operationId: 'getUserByUserName', summary: 'Read a user by its user name' })
  @ApiResponse({ status: 200, standardSchema: userSchema, description: 'The user' })
  @ApiResponse({ status: 304, description: 'Unchanged since the version in `If-None-Match`' })
  @ApiProblems('invalid-request', 'user-not-found')
  async getByUserName(
    @Param('userName', { schema: userNameParamSchema }) userName: string,
    @Caller() caller: Principal,
    @Headers('if-none-match') known: string | undefined,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<UserView | undefined> {
    return unlessKnown(await this.users.getByUserName(userName, caller), known, reply);
  }

  @Get('me')
  @ApiOperation({ operationId: 'getMe', summary: 'Read yourself' })
  @ApiResponse({ status: 200, standardSchema: userSchema, description: 'The signed-in user' })
  @ApiResponse({ status: 304, description: 'Unchanged since the version in `If-None-Match`' })
  @ApiProblems('user-not-found')
  getMe(
    @Caller() caller: Principal,
    @Headers('if-none-match') known: string | undefined,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<UserView | undefined> {
    return this.get('me', caller, known, reply);
  }

  @Get(':id')
  @Requires(readers)
  @ApiOperation({ operationId: 'getUser', summary: 'Read a user' })
  @ApiResponse({ status: 200, standardSchema: userSchema, description: 'The user' })
  @ApiResponse({ status: 304, description: 'Unchanged since the version in `If-None-Match`' })
  @ApiProblems('invalid-request', 'user-not-found')
  async get(
    @Param('id', { schema: userIdSchema }) id: string,
    @Caller() caller: Principal,
    @Headers('if-none-match') known: string | undefined,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<UserView | undefined> {
    return unlessKnown(await this.users.get(id, caller), known, reply);
  }

  @Patch(':id')
  @Requires(writers)
  @RouteConfig({ bodyLimit })
  @ApiOperation({ operationId: 'patchUser', summary: 'Change a user in part (JSON Merge Patch)' })
  @ApiResponse({ status: 200, standardSchema: userSchema, description: 'The changed user' })
  @ApiProblems(
    'invalid-request',
    'fresh-authentication-required',
    'user-not-found',
    'unknown-role',
    'permissions-too-large',
    'email-taken',
    'last-admin',
    'precondition-failed',
    'profile-too-large',
  )
  async patch(
    @Param('id', { schema: userIdSchema }) id: string,
    @Body({ schema: patchUserSchema }) change: PatchUser,
    @Source() source: RequestSource,
    @Headers('if-match') match: string | undefined,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<UserView> {
    return withTag(await this.changes.patch(id, change, source, ifMatch(match)), reply);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ operationId: 'deleteUser', summary: 'Erase a user; all tokens are dead at once' })
  @ApiResponse({ status: 204, description: 'Erased' })
  @ApiProblems(
    'invalid-request',
    'fresh-authentication-required',
    'user-not-found',
    'last-admin',
    'precondition-failed',
  )
  async erase(
    @Param('id', { schema: userIdSchema }) id: string,
    @Source() source: RequestSource,
    @Headers('if-match') match: string | undefined,
  ): Promise<void> {
    await this.changes.erase(id, source, ifMatch(match));
  }
}

function unlessKnown(found: VersionedUser, known: string | undefined, reply: Reply): UserView | undefined {
  const user = withTag(found, reply);
  if (!isKnownTag(known, etagOf(found.version))) return user;
  void reply.code(304);
  return undefined;
}
