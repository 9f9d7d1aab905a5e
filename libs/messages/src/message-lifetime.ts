import { Injectable, type OnModuleInit } from '@nestjs/common';

import { Sweeper } from '#libs/platform/database';
import { MetricSources } from '#libs/platform/monitoring';

import { MessagesRepository } from './messages.repository.js';

const [minute, day] = [60, 86_400];

/** How long a message lives, when it is not deleted before. */
export const lifetimeSeconds = { min: 5 * minute, default: 7 * day, max: 30 * day } as const;

/**
 * Removes expired messages from the disk. Reads look at `expires_at` themselves, so a message ends
 * on time even when this is late. The last read deletes the body; the row stays until it expires.
 */
@Injectable()
export class MessageLifetime implements OnModuleInit {
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
