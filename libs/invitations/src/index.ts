export { InvitationEntity } from './invitation.entity.js';
