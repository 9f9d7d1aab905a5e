import { Module } from '@nestjs/common';

import { FeedController } from './feed/feed.controller.js';
import { FeedPagesService } from './feed/feed-pages.service.js';
import { FeedReader } from './feed/feed.reader.js';
import { FeedSnapshot } from './feed/feed-snapshot.js';
import { HorizonAge } from './feed/horizon-age.js';
import { StreamAccess } from './stream/stream-access.js';
import { StreamController } from './stream/stream.controller.js';
import { StreamHub } from './stream/stream-hub.js';
import { StreamsService } from './stream/streams.service.js';
import { RevocationModule } from './revocation.module.js';

/** Revocations for other services, over HTTP: the operator's commands have no part in it. */
@Module({
  imports: [RevocationModule],
  controllers: [FeedController, StreamController],
  providers: [FeedPagesService, FeedReader, FeedSnapshot, HorizonAge, StreamAccess, StreamHub, StreamsService],
})
export class RevocationFeedModule {}
