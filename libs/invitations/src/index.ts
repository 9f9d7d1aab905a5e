export { AcceptanceService } from './acceptance.service.js';
export { InvitationEntity } from './invitation.entity.js';
export { InvitationsModule } from './invitations.module.js';
export {
  type AcceptInvitation,
  acceptInvitationSchema,
  type CreatedInvitation,
  invitationIdSchema,
  type InvitationView,
  type Invite,
  inviteSchema,
  listInvitationsSchema,
} from './invitations.schema.js';
export { InvitationsService } from './invitations.service.js';
