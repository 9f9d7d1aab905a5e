import { Module } from '@nestjs/common';

import { MessagePagesController } from './messages/message-pages.controller.js';
import { PageFilesController } from './page-files.controller.js';

@Module({ controllers: [PageFilesController, MessagePagesController] })
export class PagesModule {}
