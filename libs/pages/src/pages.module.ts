import { Module } from '@nestjs/common';

import { AuthModule } from '#libs/auth';

import { ChangedLinksController } from './account/changed-links.controller.js';
import { ResetPageController } from './account/reset-page.controller.js';
import { MessagePagesController } from './messages/message-pages.controller.js';
import { PageFilesController } from './page-files.controller.js';

/** The pages for people. */
@Module({
  imports: [AuthModule],
  controllers: [PageFilesController, MessagePagesController, ResetPageController, ChangedLinksController],
})
export class PagesModule {}
