export { AvatarDeletionEntity, AvatarEntity } from './avatar.entity.js';
export { AvatarsModule } from './avatars.module.js';
