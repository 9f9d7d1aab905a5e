import { Global, Module } from '@nestjs/common';

import { RegistrationPicture, UsersModule } from '#libs/users';

import { AvatarIntake } from './avatar-intake.js';
import { AvatarStore } from './avatar-store.js';
import { AvatarsController } from './avatars.controller.js';
import { AvatarsRepository } from './avatars.repository.js';
import { AvatarsService } from './avatars.service.js';
import { PictureMaker } from './image/picture-maker.js';
import { ObjectStore } from './storage/object-store.js';
import { UserAvatarController } from './user-avatar.controller.js';

/** Global, so that users can ask for the `RegistrationPicture` without knowing who answers. */
@Global()
@Module({
  imports: [UsersModule],
  controllers: [AvatarsController, UserAvatarController],
  providers: [
    AvatarIntake,
    AvatarsRepository,
    AvatarsService,
    AvatarStore,
    ObjectStore,
    PictureMaker,
    { provide: RegistrationPicture, useExisting: AvatarIntake },
  ],
  exports: [RegistrationPicture],
})
export class AvatarsModule {}
