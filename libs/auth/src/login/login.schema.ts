import { z } from 'zod';

import { textSchema, wantedAudienceSchema } from '#libs/platform/contract';

export const loginSchema = z
  .strictObject({
    userName: textSchema({ min: 1, max: 256 }).meta({ description: 'User name or e-mail address', example: 'ada' }),
    password: textSchema({ min: 1, max: 1024 }).meta({ format: 'password' }),
    audience: wantedAudienceSchema.optional(),
  })
  .meta({ id: 'Login' });
export type Login = z.infer<typeof loginSchema>;

export const reauthenticateSchema = loginSchema.pick({ password: true }).meta({ id: 'Reauthenticate' });
export type Reauthenticate = z.infer<typeof reauthenticateSchema>;

export const changePasswordSchema = z
  .strictObject({
    currentPassword: textSchema({ max: 1024 })
      .optional()
      .meta({ description: 'Required to change your own', format: 'password' }),
    password: textSchema({ max: 1024 }).meta({ format: 'password' }),
  })
  .meta({ id: 'ChangePassword' });
export type ChangePassword = z.infer<typeof changePasswordSchema>;
