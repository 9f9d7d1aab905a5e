import { z } from 'zod';

export const refreshTokenSchema = z.string().min(1).max(256).meta({ description: 'Opaque; one use' });

export const tokenPairSchema = z
  .strictObject({
    accessToken: z.string().meta({ description: 'JWT (RFC 9068)' }),
    tokenType: z.literal('Bearer'),
    expiresIn: z.int().meta({ description: 'Seconds' }),
    refreshToken: refreshTokenSchema,
    refreshExpiresIn: z.int().meta({ description: 'Seconds, if it is not used before' }),
    sessionId: z.uuid(),
  })
  .meta({ id: 'TokenPair' });
export type TokenPair = z.infer<typeof tokenPairSchema>;

export const accessTokenSchema = tokenPairSchema
  .pick({ accessToken: true, tokenType: true, expiresIn: true, sessionId: true })
  .meta({ id: 'AccessToken' });
export type AccessToken = z.infer<typeof accessTokenSchema>;
