import { applyDecorators, Controller, Get, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { HealthCheckResult } from '@nestjs/terminus';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { Public, Unlimited } from '#libs/platform/access';

import { healthSchema } from './health.schema.js';
import { ProbeReader } from './probe-reader.js';
import { Probes } from './probes.service.js';

type Answer = Pick<HealthCheckResult, 'status'> & Partial<HealthCheckResult>;

const Probe = (path: string, operationId: string, summary: string): MethodDecorator =>
  applyDecorators(
    Get(path),
    Public(),
    // balancers ask often, and a probe that is refused takes a healthy replica out
    Unlimited(),
    ApiOperation({ operationId, summary }),
    ApiResponse({ status: 200, standardSchema: healthSchema, description: 'Yes' }),
    ApiResponse({ status: 503, standardSchema: healthSchema, description: 'No' }),
  );

/** Small answers; who sends the token of an administrator or the key of a service gets the state of each part too. */
@ApiTags('health')
@Controller('health')
export class HealthController {
  constructor(
    private readonly probes: Probes,
    private readonly reader: ProbeReader,
  ) {}

  @Probe('live', 'getLiveness', 'Whether the event loop turns; restart the process if not')
  async live(): Promise<Answer> {
    return { status: (await this.probes.live()).status };
  }

  @Probe('ready', 'getReadiness', 'Whether requests can be served; route none here if not')
  async ready(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<Answer> {
    return this.#answer(await this.probes.ready(), request, reply);
  }

  @Probe('startup', 'getStartup', 'Whether everything has come up once; wait with the other probes if not')
  async startup(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<Answer> {
    return this.#answer(await this.probes.startup(), request, reply);
  }

  async #answer(found: HealthCheckResult, request: FastifyRequest, reply: FastifyReply): Promise<Answer> {
    if (found.status !== 'ok') void reply.code(503);
    return (await this.reader.mayReadDetails(request)) ? found : { status: found.status };
  }
}
