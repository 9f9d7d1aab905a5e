import { z } from 'zod';

import { pageCursorSchema, pageLimitSchema, pastedTokenMeta, pastedTokenSchema } from '#libs/platform/contract';
import { createUserSchema, emailSchema } from '#libs/users';

const { firstName, lastName, roles, userName, password } = createUserSchema.shape;
const names = { firstName: firstName.nullish(), lastName: lastName.nullish() };

export const inviteSchema = z.strictObject({ email: emailSchema, roles, ...names }).meta({ id: 'CreateInvitation' });
export type Invite = z.infer<typeof inviteSchema>;

export const invitationSchema = z
  .strictObject({
    id: z.uuid(),
    email: z.string(),
    roles: z.array(z.string()),
    firstName: z.string().nullable(),
    lastName: z.string().nullable(),
    createdAt: z.iso.datetime(),
    expiresAt: z.iso.datetime(),
  })
  .meta({ id: 'Invitation' });
export type InvitationView = z.infer<typeof invitationSchema>;

export const createdInvitationSchema = invitationSchema
  .extend({
    url: z.url().meta({ description: 'The page that takes it; behind `#` is the token, which is shown once, here' }),
  })
  .meta({ id: 'CreatedInvitation' });
export type CreatedInvitation = z.infer<typeof createdInvitationSchema>;

export const invitationPageSchema = z
  .strictObject({ items: z.array(invitationSchema), nextCursor: z.string().nullable() })
  .meta({ id: 'InvitationPage' });
export type InvitationPage = z.infer<typeof invitationPageSchema>;

export const listInvitationsSchema = z.strictObject({ limit: pageLimitSchema, cursor: pageCursorSchema });
export type ListInvitations = z.infer<typeof listInvitationsSchema>;

export const invitationIdSchema = z.uuid().meta({ description: 'The id of an invitation' });

/** What is no token is one that no invitation has. */
const token = pastedTokenSchema.meta(pastedTokenMeta);

export const acceptInvitationSchema = z
  .strictObject({ token, userName, password, ...names })
  .meta({ id: 'AcceptInvitation', description: 'Names that are absent are those of the invitation' });
export type AcceptInvitation = z.infer<typeof acceptInvitationSchema>;
