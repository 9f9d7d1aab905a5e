import { z } from 'zod';

import { AppError } from '#libs/platform/errors';
import { avatarSizes } from '#libs/users';

import type { AvatarSize } from './avatar.js';

export const hashParamSchema = z
  .string()
  .meta({ description: 'From `avatar.url` of a user', pattern: '^[0-9a-f]{64}$' });
export const sizeParamSchema = z.string().meta({ description: '64, 256 or 512', enum: avatarSizes.map(String) });

export const avatarQuerySchema = z.strictObject({
  size: z.enum(avatarSizes.map(String)).default('256').meta({ description: 'Edge in pixels' }),
  default: z.enum(['initials']).optional().meta({ description: 'What to answer where no picture was set' }),
});
export type AvatarQuery = z.infer<typeof avatarQuerySchema>;

/** @throws AppError `avatar-not-found`: a name that cannot be is one that is not there */
export function parseFile(hash: string, size: string): { hash: Buffer; size: AvatarSize } {
  const known = avatarSizes.find((candidate) => String(candidate) === size);
  if (known === undefined || !/^[0-9a-f]{64}$/.test(hash)) throw new AppError('avatar-not-found');
  return { hash: Buffer.from(hash, 'hex'), size: known };
}
