import { defineEntity, p } from '@mikro-orm/sql';

/** One row: the part of the feed's epoch that is changed on purpose (`renewEpoch`). */
export const FeedEpochEntity = defineEntity({
  name: 'FeedEpoch',
  tableName: 'feed_epoch',
  properties: {
    isOnly: p.boolean().primary(),
    value: p.uuid(),
  },
});
