import { Module } from '@nestjs/common';

import { AuthModule } from '#libs/auth';
import { InvitationsModule } from '#libs/invitations';

import { ChangedLinksController } from './account/changed-links.controller.js';
import { InvitationPageController } from './account/invitation-page.controller.js';
import { ResetPageController } from './account/reset-page.controller.js';
import { VerifyPageController } from './account/verify-page.controller.js';
import { MessagePagesController } from './messages/message-pages.controller.js';
import { PageFilesController } from './page-files.controller.js';

/** The pages for people. */
@Module({
  imports: [AuthModule, InvitationsModule],
  controllers: [
    PageFilesController,
    MessagePagesController,
    VerifyPageController,
    ResetPageController,
    InvitationPageController,
    ChangedLinksController,
  ],
})
export class PagesModule {}
