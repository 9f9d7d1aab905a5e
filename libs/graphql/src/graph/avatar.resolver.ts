import { ResolveField, Resolver } from '@nestjs/graphql';

import { AppError } from '#libs/platform/errors';
import type { UserView } from '#libs/users';

import { IntArgument } from './plain-field.js';
import { Avatar } from './user.types.js';

@Resolver(() => Avatar)
export class AvatarResolver {
  @ResolveField(() => String, { description: 'Where the picture is, over REST; one of `sizes`.' })
  @IntArgument('size', { defaultValue: 256 })
  url({ url, sizes }: NonNullable<UserView['avatar']>, { size }: { size: number }): string {
    if (!sizes.includes(size)) {
      const message = `must be one of ${sizes.join(', ')}`;
      throw new AppError('invalid-request', { errors: [{ path: 'size', message, code: 'invalid-value' }] });
    }
    const end = `-${size}.webp`;
    return url.endsWith(end) ? url : url.replace(/-\d+\.webp$/, end);
  }
}
