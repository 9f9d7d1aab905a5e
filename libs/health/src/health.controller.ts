import { setTimeout as sleep } from 'node:timers/promises';

import { applyDecorators, Controller, Get, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { HealthCheckResult } from '@nestjs/terminus';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';

import {
  bearerToken,
  isAdmin,
  parseServiceKey,
  Public,
  ServiceVerifier,
  TokenVerifier,
  Unlimited,
} from '#libs/platform/access';

import { ProbesService } from './probes.service.js';

/** While the database hangs, the check of a token or key hangs too; the probe must not. */
const credentialTimeoutMs = 500;

const parts = z.record(
  z.string(),
  z.strictObject({
    status: z.enum(['up', 'down']),
    checkedAgoMs: z.int().min(0).meta({ description: 'Milliseconds since this was found' }),
  }),
);
const healthSchema = z
  .strictObject({
    status: z.enum(['ok', 'error', 'shutting_down', 'degraded']),
    info: parts.optional(),
    error: parts.optional(),
    details: parts.optional().meta({ description: 'For administrators and services only' }),
  })
  .meta({ id: 'Health' });

type Answer = Pick<HealthCheckResult, 'status'> & Partial<HealthCheckResult>;

const Probe = (path: string, operationId: string, summary: string): MethodDecorator =>
  applyDecorators(
    Get(path),
    Public(),
    // Balancers ask often, and a probe that is refused takes a healthy replica out of service.
    Unlimited(),
    ApiOperation({ operationId, summary }),
    ApiResponse({ status: 200, standardSchema: healthSchema, description: 'Yes' }),
    ApiResponse({ status: 503, standardSchema: healthSchema, description: 'No' }),
  );

/** Probes answer one word. Administrators and services get the state of each part, too. */
@ApiTags('health')
@Controller('health')
export class HealthController {
  constructor(
    private readonly probes: ProbesService,
    private readonly tokens: TokenVerifier,
    private readonly services: ServiceVerifier,
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
    return (await this.#mayReadDetails(request)) ? found : { status: found.status };
  }

  /** Credentials that are bad, or cannot be checked just now, only make the answer shorter. */
  #mayReadDetails({ headers }: FastifyRequest): boolean | Promise<boolean> {
    if (headers.authorization === undefined && headers['x-service-key'] === undefined) return false;
    return Promise.race([this.#isTrusted(headers), sleep(credentialTimeoutMs, false, { ref: false })]);
  }

  async #isTrusted(headers: FastifyRequest['headers']): Promise<boolean> {
    try {
      const key = parseServiceKey(headers);
      if (key) return (await this.services.verify(key)).kind === 'service';
      const token = bearerToken(headers);
      const caller = token === undefined ? undefined : await this.tokens.verify(token);
      return caller?.kind === 'service' || (caller !== undefined && isAdmin(caller));
    } catch {
      return false;
    }
  }
}
