import { Module } from '@nestjs/common';

import { RevocationFeed } from './revocation-feed.js';
import { Revocations } from './revocations.service.js';

@Module({ providers: [RevocationFeed, Revocations], exports: [RevocationFeed, Revocations] })
export class RevocationModule {}
