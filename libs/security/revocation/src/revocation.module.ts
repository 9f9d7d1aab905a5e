import { Module } from '@nestjs/common';

import { FeedReader } from './feed/feed.reader.js';
import { RevocationView } from './view/revocation-view.js';
import { RevocationRetention } from './revocation-retention.js';
import { RevocationsService } from './revocations.service.js';

@Module({
  providers: [FeedReader, RevocationView, RevocationRetention, RevocationsService],
  exports: [RevocationsService],
})
export class RevocationModule {}
