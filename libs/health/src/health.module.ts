import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';

import { HealthController } from './health.controller.js';
import { ProbesService } from './probes.service.js';

// The request log has the failures of probes; Terminus would log them again every few seconds.
@Module({
  imports: [TerminusModule.forRoot({ logger: false })],
  controllers: [HealthController],
  providers: [ProbesService],
})
export class HealthModule {}
