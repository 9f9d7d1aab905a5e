import { z } from 'zod';

import { textSchema } from '#libs/platform/contract';

export const loginSchema = z
  .strictObject({
    userName: textSchema({ min: 1, max: 256 }).meta({ description: 'User name or e-mail address', example: 'ada' }),
    password: textSchema({ min: 1, max: 1024 }).meta({ format: 'password' }),
  })
  .meta({ id: 'Login' });
export type Login = z.infer<typeof loginSchema>;

const refreshToken = z.string().min(1).max(256).meta({ description: 'Opaque; one use' });

export const refreshSchema = z.strictObject({ refreshToken }).meta({ id: 'Refresh' });
export type Refresh = z.infer<typeof refreshSchema>;

export const logoutSchema = z
  .strictObject({
    refreshToken: refreshToken
      .optional()
      .meta({ description: 'Ends its session, also when the access token is expired or absent' }),
  })
  .meta({ id: 'Logout' });
export type Logout = z.infer<typeof logoutSchema>;

export const tokenPairSchema = z
  .strictObject({
    accessToken: z.string().meta({ description: 'JWT (RFC 9068)' }),
    tokenType: z.literal('Bearer'),
    expiresIn: z.int().meta({ description: 'Seconds' }),
    refreshToken,
    refreshExpiresIn: z.int().meta({ description: 'Seconds, if it is not used before' }),
    sessionId: z.uuid(),
  })
  .meta({ id: 'TokenPair' });
export type TokenPair = z.infer<typeof tokenPairSchema>;

export const reauthenticateSchema = loginSchema.pick({ password: true }).meta({ id: 'Reauthenticate' });
export type Reauthenticate = z.infer<typeof reauthenticateSchema>;

export const accessTokenSchema = tokenPairSchema
  .pick({ accessToken: true, tokenType: true, expiresIn: true, sessionId: true })
  .meta({ id: 'AccessToken' });
export type AccessToken = z.infer<typeof accessTokenSchema>;

const sessionSchema = z
  .strictObject({
    id: z.uuid(),
    createdAt: z.iso.datetime(),
    lastUsedAt: z.iso.datetime(),
    userAgent: z.string().nullable(),
    ip: z.string().nullable(),
    isCurrent: z.boolean(),
  })
  .meta({ id: 'Session' });
export type SessionView = z.infer<typeof sessionSchema>;

export const sessionListSchema = z.strictObject({ items: z.array(sessionSchema) }).meta({ id: 'SessionList' });
export type SessionList = z.infer<typeof sessionListSchema>;

export const sessionIdSchema = z.uuid('must be a session id');

/** Of whom: oneself if absent; administrators may name another. */
export const sessionOwnerSchema = z.strictObject({ userId: z.uuid().optional() });
export type SessionOwner = z.infer<typeof sessionOwnerSchema>;

export const endSessionsSchema = sessionOwnerSchema.extend({
  except: z.literal('current').optional().meta({ description: '`current` keeps the session that asks' }),
});
export type EndSessions = z.infer<typeof endSessionsSchema>;

export const changePasswordSchema = z
  .strictObject({
    currentPassword: textSchema({ max: 1024 })
      .optional()
      .meta({ description: 'Required to change your own', format: 'password' }),
    password: textSchema({ max: 1024 }).meta({ format: 'password' }),
  })
  .meta({ id: 'ChangePassword' });
export type ChangePassword = z.infer<typeof changePasswordSchema>;

export const jwksSchema = z
  .strictObject({
    keys: z.array(
      z.strictObject({
        kty: z.literal('EC'),
        crv: z.literal('P-256'),
        x: z.string(),
        y: z.string(),
        kid: z.string(),
        use: z.literal('sig'),
        alg: z.literal('ES256'),
      }),
    ),
  })
  .meta({ id: 'JwkSet' });
export type JwkSet = z.infer<typeof jwksSchema>;
