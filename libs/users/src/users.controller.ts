import {
  Body,
  Controller,
  Delete,
  Get,
  Headers,
  HttpCode,
  Param,
  Patch,
  Post,
  Query,
  Res,
  UseInterceptors,
} from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiExtension, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';

import { AuditBursts } from '#libs/security/audit';
import {
  type IdempotentRequest,
  Idempotent,
  type IdempotencyLock,
  Idempotency,
  IdempotencyKey,
} from '#libs/platform/idempotency';
import { Caller, Source, OptionalAuth, type RequestSource, type Principal, Requires } from '#libs/platform/access';
import { ApiProblems, linkNext, multipartMediaType, toPublicPath } from '#libs/platform/http';
import { RateClass } from '#libs/security/rate-limits';

import { etagOf, ifMatch, isNotModified } from './etag.js';
import { Registering, type Registrant, RegistrationForm } from './registration-form.interceptor.js';
import type { PendingPicture } from './registration-picture.js';
import { type ListUsers, listUsersSchema, type UserPage, userPageSchema } from './user-list.schema.js';
import { UserListService } from './user-list.service.js';
import { UserChangesService } from './user-changes.service.js';
import type { VersionedUser } from './user-view.js';
import {
  type CreateUser,
  createUserSchema,
  type PatchUser,
  patchUserSchema,
  userIdSchema,
  userNameParamSchema,
  userSchema,
  type UserView,
} from './users.schema.js';
import { UsersService } from './users.service.js';

type Reply = FastifyReply;

/** Users may read themselves only, unless they are administrators: `user-access.ts`. */
const readers = { roles: ['user', 'admin'], scopes: ['users:read'] } as const;

@ApiTags('users')
@Controller('v1/users')
export class UsersController {
  constructor(
    private readonly users: UsersService,
    private readonly changes: UserChangesService,
    private readonly idempotency: Idempotency,
    private readonly lists: UserListService,
    private readonly bursts: AuditBursts,
  ) {}

  @Post()
  @OptionalAuth()
  @RateClass('hash')
  @IdempotencyKey()
  @RouteConfig({ hashesPassword: true, consumes: ['application/json', multipartMediaType] })
  @UseInterceptors(RegistrationForm)
  @ApiOperation({ operationId: 'createUser', summary: 'Register a user, or create one as an administrator' })
  @ApiExtension('x-form-file', 'avatar')
  @ApiResponse({ status: 201, standardSchema: userSchema, description: 'The new user; `Location` and `ETag`' })
  @ApiProblems(
    'invalid-request',
    'password-refused',
    'registration-closed',
    'fresh-authentication-required',
    'malformed-multipart',
    'unsupported-image',
    'unreadable-image',
    'image-too-large',
    'user-name-taken',
    'email-taken',
    'overloaded',
  )
  async create(
    @Body({ schema: createUserSchema }) input: CreateUser,
    @Source() source: RequestSource,
    @Registering() { signal, picture }: Registrant,
    @Idempotent() attempt: IdempotentRequest | undefined,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<UserView> {
    const created = await this.idempotency.run(
      withPicture(attempt, picture),
      (claim: IdempotencyLock<VersionedUser> | undefined) =>
        this.users.create({ input, picture, claim }, source, signal),
    );
    void reply.header('location', toPublicPath(reply, `/v1/users/${created.user.id}`));
    return withTag(created, reply);
  }

  @Get()
  @Requires({ roles: ['admin'], scopes: ['users:read'] })
  @ApiOperation({ operationId: 'listUsers', summary: 'List, filter and search users' })
  @ApiResponse({ status: 200, standardSchema: userPageSchema, description: 'A page; `Link` names the next' })
  @ApiProblems('invalid-request', 'invalid-cursor', 'cursor-of-another-query')
  async list(
    @Query({ schema: listUsersSchema }) query: ListUsers,
    @Source() source: RequestSource,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<UserPage> {
    const page = await this.lists.list(query);
    this.bursts.noteRead({ event: 'users-listed' }, source);
    linkNext(reply, page.nextCursor);
    return page;
  }

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
  @ApiOperation({ operationId: 'patchUser', summary: 'Change a user in part (JSON Merge Patch)' })
  @ApiResponse({ status: 200, standardSchema: userSchema, description: 'The changed user' })
  @ApiProblems(
    'invalid-request',
    'fresh-authentication-required',
    'user-not-found',
    'email-taken',
    'last-admin',
    'precondition-failed',
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

/** The same key with another picture is another request. */
const withPicture = (
  attempt: IdempotentRequest | undefined,
  picture: PendingPicture | undefined,
): IdempotentRequest | undefined =>
  attempt && picture ? { ...attempt, body: `${attempt.body}\n${picture.digest}` } : attempt;

function withTag({ user, version }: VersionedUser, reply: Reply): UserView {
  void reply.header('etag', etagOf(version));
  return user;
}

function unlessKnown(found: VersionedUser, known: string | undefined, reply: Reply): UserView | undefined {
  const user = withTag(found, reply);
  if (!isNotModified(known, found.version)) return user;
  void reply.code(304);
  return undefined;
}
