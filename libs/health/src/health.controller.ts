import { Controller, Get, UseFilters } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { HealthCheckService, type HealthCheckResult } from '@nestjs/terminus';

import { Public } from '#libs/platform/access';

import { HealthFilter } from './health.filter.js';
import { healthSchema } from './health.schema.js';
import { ReadinessIndicator } from './readiness.indicator.js';

@ApiTags('health')
@Controller('health')
@UseFilters(HealthFilter)
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly readiness: ReadinessIndicator,
  ) {}

  @Get('live')
  @Public()
  @ApiOperation({ operationId: 'getLiveness', summary: 'Whether the event loop turns; restart the process if not' })
  @ApiResponse({ status: 200, standardSchema: healthSchema, description: 'Alive' })
  live(): Promise<HealthCheckResult> {
    // the answer itself is the check: a loop that does not turn gives none
    return this.health.check([]);
  }

  @Get('ready')
  @Public()
  @ApiOperation({ operationId: 'getReadiness', summary: 'Whether requests can be served; route none here if not' })
  @ApiResponse({ status: 200, standardSchema: healthSchema, description: 'Ready' })
  @ApiResponse({ status: 503, standardSchema: healthSchema, description: 'Not ready, or draining' })
  ready(): Promise<HealthCheckResult> {
    return this.health.check([
      () => this.readiness.serving(),
      () => this.readiness.database(),
      () => this.readiness.revocations(),
    ]);
  }
}
