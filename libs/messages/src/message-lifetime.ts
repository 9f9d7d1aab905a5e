import { Injectable, type OnModuleInit } from '@nestjs/common';

import { Sweeper } from '#libs/platform/database';
import { MetricSources } from '#libs/platform/monitoring';

import { MessagesRepository } from './messages.repository.js';

const [minute, day] = [60, 86_400];

/** How long a message lives, when it is not deleted before. */
export const lifetimeSeconds = { min: 5 * minute, default: 7 * day, max: 30 * day } as const;

/**
 * Removes expired messages from the disk. A message ends on time even when this is late: every read
 * looks at `expires_at` itself. A message whose reads are used up loses its body at once; its row
 * stays until it expires, so that the sender sees that it was read.
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
