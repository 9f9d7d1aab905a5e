import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';

import { HealthController } from './health.controller.js';
import { ReadinessIndicator } from './readiness.indicator.js';

// errors of probes are in the request log; Terminus' own report of them would repeat it every few seconds
@Module({
  imports: [TerminusModule.forRoot({ logger: false })],
  controllers: [HealthController],
  providers: [ReadinessIndicator],
})
export class HealthModule {}
