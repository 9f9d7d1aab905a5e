import { Controller, Post, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiBody, ApiExtension, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';

import { OptionalAuth, type RequestSource, Source } from '#libs/platform/access';
import { ApiProblems, ClientGone, multipartMediaType, toPublicPath } from '#libs/platform/http';
import { IdempotencyKey } from '#libs/platform/idempotency';
import { RateClass } from '#libs/security/rate-limits';

import { RegistrationService } from './registration.service.js';
import { withTag } from './user-view.js';
import { createUserSchema, userSchema, type UserView } from './users.schema.js';

/** 16 KB of `profile` and `metadata` are up to 48 KB where a client escapes what is not ASCII. */
const bodyLimit = 64 * 1024;
/** The service checks the body, which may be a form; Nest's types lack `standardSchema`. */
const body = { required: true, standardSchema: createUserSchema };

@ApiTags('users')
@Controller('v1/users')
export class RegistrationController {
  constructor(private readonly registrations: RegistrationService) {}

  @Post()
  @OptionalAuth()
  @RateClass('hash')
  @IdempotencyKey()
  @RouteConfig({ bodyLimit, hashesPassword: true, consumes: ['application/json', multipartMediaType] })
  @ApiBody(body)
  @ApiOperation({ operationId: 'createUser', summary: 'Register a user, or create one as an administrator' })
  @ApiExtension('x-form-file', 'avatar')
  @ApiResponse({ status: 201, standardSchema: userSchema, description: 'The new user; `Location` and `ETag`' })
  @ApiProblems(
    'invalid-request',
    'password-refused',
    'unknown-role',
    'permissions-too-large',
    'registration-closed',
    'fresh-authentication-required',
    'malformed-multipart',
    'unsupported-image',
    'unreadable-image',
    'image-too-large',
    'user-name-taken',
    'email-taken',
    'profile-too-large',
    'overloaded',
  )
  async create(
    @Source() source: RequestSource,
    @ClientGone() signal: AbortSignal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<UserView> {
    const created = await this.registrations.register({ reply, source, signal });
    void reply.header('location', toPublicPath(reply, `/v1/users/${created.user.id}`));
    return withTag(created, reply);
  }
}
