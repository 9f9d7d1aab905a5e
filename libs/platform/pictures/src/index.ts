export { AvatarDeletionEntity, AvatarEntity } from './avatar.entity.js';
export { type Pictures, pictureSizes } from './picture-maker.js';
export { PicturesController } from './pictures.controller.js';
export { PicturesModule } from './pictures.module.js';
export { PicturesGone, PicturesService } from './pictures.service.js';
