import { Module } from '@nestjs/common';

import { RevocationFeed } from './revocation-feed.js';
import { RevocationRetention } from './revocation-retention.js';
import { RevocationsService } from './revocations.service.js';

@Module({ providers: [RevocationFeed, RevocationRetention, RevocationsService], exports: [RevocationsService] })
export class RevocationModule {}
