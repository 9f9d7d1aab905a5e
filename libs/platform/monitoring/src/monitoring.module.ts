import { Global, Module } from '@nestjs/common';

import { MetricSources } from './metric-sources.js';
import { ReadinessChecks } from './readiness-checks.js';

/** Parts register readiness checks and metrics here; `health` and `metrics` read them. */
@Global()
@Module({ providers: [MetricSources, ReadinessChecks], exports: [MetricSources, ReadinessChecks] })
export class MonitoringModule {}
