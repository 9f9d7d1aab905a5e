import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';

import { HealthController } from './health.controller.js';
import { ProbeReader } from './probe-reader.js';
import { Probes } from './probes.service.js';

// errors of probes are in the request log; Terminus' own report of them would repeat it every few seconds
@Module({
  imports: [TerminusModule.forRoot({ logger: false })],
  controllers: [HealthController],
  providers: [ProbeReader, Probes],
})
export class HealthModule {}
