export { FirstAdmin, type MadeAdmin } from './first-admin.service.js';
export { type User, UserEntity } from './user.entity.js';
export { UsersModule } from './users.module.js';
export { type Credentials, UsersRepository } from './users.repository.js';
export { findKeys } from './user-keys.js';
