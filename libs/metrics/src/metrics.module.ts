import { Module } from '@nestjs/common';

import { MetricsController } from './metrics.controller.js';
import { MetricsService } from './metrics.service.js';
import { MetricsServer } from './metrics.server.js';

@Module({ controllers: [MetricsController], providers: [MetricsServer, MetricsService] })
export class MetricsModule {}
