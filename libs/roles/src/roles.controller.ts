import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';

import { FreshAuthentication, type RequestSource, Requires, Source } from '#libs/platform/access';
import { ApiProblems, toPublicPath } from '#libs/platform/http';

import {
  type CreateRole,
  createRoleSchema,
  type PatchRole,
  patchRoleSchema,
  type RemoveRole,
  removeRoleSchema,
  type RoleList,
  roleListSchema,
  roleNameSchema,
  roleSchema,
  type RoleView,
} from './roles.schema.js';
import { RolesService } from './roles.service.js';

const readers = { roles: ['admin'], scopes: ['users:read'] } as const;
const adminsOnly = { roles: ['admin'] } as const;

@ApiTags('roles')
@Controller('v1/roles')
export class RolesController {
  constructor(private readonly roles: RolesService) {}

  @Get()
  @Requires(readers)
  @ApiOperation({ operationId: 'listRoles', summary: 'List the roles by name, with their permissions' })
  @ApiResponse({ status: 200, standardSchema: roleListSchema, description: 'All roles' })
  list(): Promise<RoleList> {
    return this.roles.list();
  }

  @Get(':name')
  @Requires(readers)
  @ApiOperation({ operationId: 'getRole', summary: 'Read a role' })
  @ApiResponse({ status: 200, standardSchema: roleSchema, description: 'The role' })
  @ApiProblems('invalid-request', 'role-not-found')
  get(@Param('name', { schema: roleNameSchema }) name: string): Promise<RoleView> {
    return this.roles.get(name);
  }

  @Post()
  @Requires(adminsOnly)
  @FreshAuthentication()
  @ApiOperation({ operationId: 'createRole', summary: 'Make a role: a name for permissions of your services' })
  @ApiResponse({ status: 201, standardSchema: roleSchema, description: 'The new role; `Location`' })
  @ApiProblems('invalid-request', 'role-exists', 'too-many-roles', 'permissions-too-large')
  async create(
    @Body({ schema: createRoleSchema }) input: CreateRole,
    @Source() source: RequestSource,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<RoleView> {
    const created = await this.roles.create(input, source);
    void reply.header('location', toPublicPath(reply, `/v1/roles/${created.name}`));
    return created;
  }

  @Patch(':name')
  @Requires(adminsOnly)
  @FreshAuthentication()
  @ApiOperation({
    operationId: 'patchRole',
    summary: 'Change description or permissions of a role; access tokens with old permissions are dead at once',
  })
  @ApiResponse({ status: 200, standardSchema: roleSchema, description: 'The changed role' })
  @ApiProblems('invalid-request', 'role-not-found', 'permissions-too-large')
  patch(
    @Param('name', { schema: roleNameSchema }) name: string,
    @Body({ schema: patchRoleSchema }) change: PatchRole,
    @Source() source: RequestSource,
  ): Promise<RoleView> {
    return this.roles.patch(name, change, source);
  }

  @Delete(':name')
  @HttpCode(204)
  @Requires(adminsOnly)
  @FreshAuthentication()
  @ApiOperation({ operationId: 'deleteRole', summary: 'Remove a role; access tokens that carry it are dead at once' })
  @ApiResponse({ status: 204, description: 'Removed' })
  @ApiProblems('invalid-request', 'role-not-found', 'role-in-use', 'role-built-in')
  async remove(
    @Param('name', { schema: roleNameSchema }) name: string,
    @Query({ schema: removeRoleSchema }) { force }: RemoveRole,
    @Source() source: RequestSource,
  ): Promise<void> {
    await this.roles.remove(name, force === 'true' ? 'take-from-users' : 'only-unheld', source);
  }
}
