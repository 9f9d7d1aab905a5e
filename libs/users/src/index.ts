export { FirstAdmin, type MadeAdmin } from './first-admin.service.js';
export { type User, UserEntity } from './user.entity.js';
export { UsersModule } from './users.module.js';
export { changeableId } from './user-access.js';
export { type Credentials, type PasswordOwner, UsersRepository } from './users.repository.js';
export { userIdSchema } from './users.schema.js';
export { findKeys } from './user-keys.js';
