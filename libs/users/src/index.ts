export { AddressProofs, type FormerAddress } from './account/address-proofs.js';
export { AdminsService, type MadeAdmin } from './account/admins.service.js';
export {
  type BulkProfile,
  type BulkUser,
  BulkUsersRepository,
  type ExistingUser,
  type ExportRow,
  idInSubject,
  RolesChangedError,
  type UserKeys,
} from './account/bulk-users.repository.js';
export { toEmailKey } from './account/email-address.js';
export {
  type EmailVerification,
  emailVerificationKind,
  emailVerificationSchema,
} from './account/email-verification.js';
export { firstAdminPasswordFile } from './account/first-admin-password.js';
export { assertMayGiveRoles, changeableId, noSuchUser } from './account/user-access.js';
export { UserAddresses } from './account/user-addresses.service.js';
export { UserChangesService } from './account/user-changes.service.js';
export { assertNotReserved, findKeys, toUserName } from './account/user-keys.js';
export { type VersionedUser, withTag } from './account/user-view.js';
export { type User, UserEntity } from './account/user.entity.js';
export { type Credentials, type PasswordOwner, UsersRepository, UserTurns } from './account/users.repository.js';
export {
  type CreateUser,
  createUserSchema,
  emailSchema,
  type PatchUser,
  patchUserSchema,
  subjectSchema,
  userIdSchema,
  userNameParamSchema,
  userSchema,
  type UserView,
} from './account/users.schema.js';
export { type PreparedAccount, UsersService } from './account/users.service.js';
export { type ListUsers, listUsersSchema, sorts, type UserPage } from './list/user-list.schema.js';
export { UserListService } from './list/user-list.service.js';
export { type JsonObject } from './profile/json-object.js';
export { type FilterType } from './profile/json-schema.js';
export { type Misfit, ProfileCheckRepository } from './profile/profile-check.repository.js';
export { type ProfileField, ProfileSchemas } from './profile/profile-schemas.js';
export { AvatarsModule, UsersModule } from './users.module.js';
