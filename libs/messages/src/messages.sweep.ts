import { Injectable, type OnModuleInit } from '@nestjs/common';

import { Sweeper } from '#libs/platform/database';
import { MetricSources } from '#libs/platform/monitoring';

import { MessagesRepository } from './messages.repository.js';

/** Removes expired messages. Late only for the disk: reads look at the expiry themselves. */
@Injectable()
export class MessagesSweep implements OnModuleInit {
  constructor(
    private readonly sweeper: Sweeper,
    private readonly messages: MessagesRepository,
    private readonly metrics: MetricSources,
  ) {}

  onModuleInit(): void {
    this.sweeper.registerRetention({ table: 'messages', condition: 'expires_at <= now()', values: [] });
    this.metrics.register({
      name: 'message_sweep_lag_seconds',
      help: 'How long ago the oldest message expired that is still stored.',
      kind: 'gauge',
      read: () => this.messages.sweepLagSeconds(),
    });
  }
}
