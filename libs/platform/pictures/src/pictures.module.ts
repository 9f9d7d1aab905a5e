import { Module } from '@nestjs/common';

import { ObjectStore } from './object-store.js';
import { PictureMaker } from './picture-maker.js';
import { PicturesRepository } from './pictures.repository.js';
import { PicturesService } from './pictures.service.js';

/** Without the controller: the app decides where its route stands in the OpenAPI document. */
@Module({
  providers: [ObjectStore, PictureMaker, PicturesRepository, PicturesService],
  exports: [PicturesService],
})
export class PicturesModule {}
