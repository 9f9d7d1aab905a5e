import { Module } from '@nestjs/common';

import { RevocationFeed } from './revocation-feed.js';
import { RevocationRetention } from './revocation-retention.js';
import { Revocations } from './revocations.service.js';

@Module({ providers: [RevocationFeed, RevocationRetention, Revocations], exports: [RevocationFeed, Revocations] })
export class RevocationModule {}
