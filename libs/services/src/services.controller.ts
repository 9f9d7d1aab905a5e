import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';

import {
  Caller,
  FreshAuthentication,
  Source,
  type RequestSource,
  type Principal,
  Requires,
} from '#libs/platform/access';
import { ApiProblems, toPublicPath } from '#libs/platform/http';

import {
  type CreatedService,
  createdServiceSchema,
  type CreateService,
  createServiceSchema,
  type NewSecret,
  newSecretSchema,
  type PatchService,
  patchServiceSchema,
  type RotateSecret,
  rotateSecretSchema,
  type ServiceList,
  serviceListSchema,
  serviceNameSchema,
  serviceSchema,
  serviceUsageSchema,
  type ServiceUsageView,
  type ServiceView,
} from './services.schema.js';
import { ServicesService } from './services.service.js';

const adminsOnly = { roles: ['admin'] } as const;

@ApiTags('services')
@Controller('v1/services')
export class ServicesController {
  constructor(private readonly services: ServicesService) {}

  @Post()
  @Requires(adminsOnly)
  @FreshAuthentication()
  @ApiOperation({ operationId: 'createService', summary: 'Register a calling microservice' })
  @ApiResponse({ status: 201, standardSchema: createdServiceSchema, description: 'The service, with its secret' })
  @ApiProblems('invalid-request', 'service-name-taken', 'audience-taken', 'unknown-audience')
  async create(
    @Body({ schema: createServiceSchema }) input: CreateService,
    @Source() source: RequestSource,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<CreatedService> {
    const created = await this.services.create(input, source);
    void reply.header('location', toPublicPath(reply, `/v1/services/${created.name}`));
    return created;
  }

  @Get()
  @Requires(adminsOnly)
  @ApiOperation({ operationId: 'listServices', summary: 'List the calling microservices by name' })
  @ApiResponse({ status: 200, standardSchema: serviceListSchema, description: 'All services' })
  list(): Promise<ServiceList> {
    return this.services.list();
  }

  @Get(':name')
  @Requires(adminsOnly)
  @ApiOperation({ operationId: 'getService', summary: 'Read a service' })
  @ApiResponse({ status: 200, standardSchema: serviceSchema, description: 'The service' })
  @ApiProblems('invalid-request', 'service-not-found')
  get(@Param('name', { schema: serviceNameSchema }) name: string): Promise<ServiceView> {
    return this.services.get(name);
  }

  @Get(':name/usage')
  @Requires({ roles: ['admin'], services: 'any' })
  @ApiOperation({ operationId: 'getServiceUsage', summary: 'What a service used of its plan; for itself too' })
  @ApiResponse({ status: 200, standardSchema: serviceUsageSchema, description: 'By class' })
  @ApiProblems('invalid-request', 'service-not-found')
  usage(
    @Param('name', { schema: serviceNameSchema }) name: string,
    @Caller() caller: Principal,
  ): Promise<ServiceUsageView> {
    return this.services.usage(name, caller);
  }

  @Patch(':name')
  @Requires(adminsOnly)
  @FreshAuthentication()
  @ApiOperation({
    operationId: 'patchService',
    summary: 'Change what is known of a service; acts on every replica at once',
  })
  @ApiResponse({ status: 200, standardSchema: serviceSchema, description: 'The changed service' })
  @ApiProblems('invalid-request', 'service-not-found', 'audience-taken', 'unknown-audience')
  patch(
    @Param('name', { schema: serviceNameSchema }) name: string,
    @Body({ schema: patchServiceSchema }) change: PatchService,
    @Source() source: RequestSource,
  ): Promise<ServiceView> {
    return this.services.patch(name, change, source);
  }

  @Post(':name/secret')
  @HttpCode(200)
  @Requires(adminsOnly)
  @FreshAuthentication()
  @ApiOperation({
    operationId: 'rotateServiceSecret',
    summary: 'Give a service a new secret; the old one works 24 h more, or ends at once',
  })
  @ApiResponse({ status: 200, standardSchema: newSecretSchema, description: 'The new secret, shown once' })
  @ApiProblems('invalid-request', 'service-not-found', 'rotation-conflict')
  rotateSecret(
    @Param('name', { schema: serviceNameSchema }) name: string,
    @Query({ schema: rotateSecretSchema }) { revoke }: RotateSecret,
    @Source() source: RequestSource,
  ): Promise<NewSecret> {
    return this.services.rotateSecret(name, revoke === 'true' ? 'revoke' : 'keep', source);
  }

  @Delete(':name')
  @HttpCode(204)
  @Requires(adminsOnly)
  @FreshAuthentication()
  @ApiOperation({ operationId: 'deleteService', summary: 'Remove a service; its key is dead at once' })
  @ApiResponse({ status: 204, description: 'Removed' })
  @ApiProblems('invalid-request', 'service-not-found')
  async remove(
    @Param('name', { schema: serviceNameSchema }) name: string,
    @Source() source: RequestSource,
  ): Promise<void> {
    await this.services.remove(name, source);
  }
}
