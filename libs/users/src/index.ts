export {
  type BulkProfile,
  type BulkUser,
  BulkUsersRepository,
  type ExportRow,
  type Holder,
} from './bulk-users.repository.js';
export { FirstAdmin, type MadeAdmin } from './first-admin.service.js';
export { firstAdminPasswordFile } from './first-admin-password.js';
export { OperatorAdmin } from './operator-admin.service.js';
export { type User, UserEntity } from './user.entity.js';
export { UsersModule } from './users.module.js';
export { RegistrationPicture } from './registration-picture.js';
export { etagOf, ifMatch, isKnownTag } from './etag.js';
export { changeableId, noSuchUser } from './user-access.js';
export { UserAvatar } from './user-avatar.service.js';
export { avatarSizes, type VersionedUser } from './user-view.js';
export { type Credentials, type PasswordOwner, UsersRepository } from './users.repository.js';
export { UserChangesService } from './user-changes.service.js';
export { toEmailKey } from './email-address.js';
export { assertNotReserved, findKeys, toUserName } from './user-keys.js';
export { type ListUsers, listUsersSchema, sorts, type UserPage } from './user-list.schema.js';
export { UserListService } from './user-list.service.js';
export { UserTurns } from './user-turns.js';
export {
  type CreateUser,
  createUserSchema,
  type PatchUser,
  patchUserSchema,
  roleNames,
  userIdSchema,
  userNameParamSchema,
  userSchema,
  type UserView,
} from './users.schema.js';
export { UsersService } from './users.service.js';
