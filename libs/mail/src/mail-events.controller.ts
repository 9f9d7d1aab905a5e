import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';

import { type RequestSource, Requires, Source } from '#libs/platform/access';
import { ApiProblems } from '#libs/platform/http';

import { type MailEvents, mailEventsSchema } from './mail-events.schema.js';
import { UndeliverableAddressesService } from './undeliverable-addresses.service.js';

/** 100 events with the longest fields. */
const bodyLimit = 256 * 1024;

@ApiTags('mail')
@Controller('v1/mail/events')
export class MailEventsController {
  constructor(private readonly addresses: UndeliverableAddressesService) {}

  @Post()
  @HttpCode(204)
  @RouteConfig({ bodyLimit })
  @Requires({ scopes: ['users:write'] })
  @ApiOperation({
    operationId: 'reportMailEvents',
    summary: 'Tell what became of mail: bounces and complaints stop mail to an address',
  })
  @ApiResponse({ status: 204, description: 'Taken, whether the address is known here or not' })
  @ApiProblems('invalid-request')
  report(@Body({ schema: mailEventsSchema }) input: MailEvents, @Source() source: RequestSource): Promise<void> {
    return this.addresses.take(input, source);
  }
}
