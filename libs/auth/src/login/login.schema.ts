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

const codeSchema = textSchema({ min: 1, max: 64 }).meta({
  description: 'Six digits of the authenticator app, or a recovery code',
  example: '123456',
});

export const completeLoginSchema = z
  .strictObject({
    challenge: textSchema({ min: 1, max: 256 }).meta({ description: 'From the answer `second-factor-required`' }),
    code: codeSchema,
  })
  .meta({ id: 'CompleteLogin' });
export type CompleteLogin = z.infer<typeof completeLoginSchema>;

/** What somebody who is signed in gives to show that it is them. */
export const reauthenticateSchema = z
  .union([loginSchema.pick({ password: true }), z.strictObject({ code: codeSchema })])
  .meta({ id: 'Reauthenticate' });
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
