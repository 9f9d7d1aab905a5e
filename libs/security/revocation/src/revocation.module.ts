import { Module } from '@nestjs/common';

import { RevocationView } from './view/revocation-view.js';
import { RevocationRetention } from './revocation-retention.js';
import { RevocationsService } from './revocations.service.js';

@Module({
  providers: [RevocationView, RevocationRetention, RevocationsService],
  exports: [RevocationsService, RevocationView],
})
export class RevocationModule {}
