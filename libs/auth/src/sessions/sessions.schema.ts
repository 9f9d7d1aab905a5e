import { z } from 'zod';

import { wantedAudienceSchema } from '#libs/platform/contract';

import { refreshTokenSchema } from '../tokens/tokens.schema.js';

export const refreshSchema = z
  .strictObject({ refreshToken: refreshTokenSchema, audience: wantedAudienceSchema.optional() })
  .meta({ id: 'Refresh' });
export type Refresh = z.infer<typeof refreshSchema>;

export const logoutSchema = z
  .strictObject({
    refreshToken: refreshTokenSchema
      .optional()
      .meta({ description: 'Ends its session, also when the access token is expired or absent' }),
  })
  .meta({ id: 'Logout' });
export type Logout = z.infer<typeof logoutSchema>;

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

/** Whose sessions: the caller's when absent; administrators may name another user. */
export const sessionOwnerSchema = z.strictObject({ userId: z.uuid().optional() });
export type SessionOwner = z.infer<typeof sessionOwnerSchema>;

export const endSessionsSchema = sessionOwnerSchema.extend({
  except: z.literal('current').optional().meta({ description: '`current` keeps the session that asks' }),
});
export type EndSessions = z.infer<typeof endSessionsSchema>;
