import { Global, Module } from '@nestjs/common';

import { MetricSources } from './metric-sources.js';
import { ReadinessChecks } from './readiness-checks.js';

/** Where every part says whether it can serve, and offers its numbers; health and metrics read them. */
@Global()
@Module({ providers: [MetricSources, ReadinessChecks], exports: [MetricSources, ReadinessChecks] })
export class MonitoringModule {}
