export { RoleEntity, RoleGenerationEntity, RoleSetEntity } from './role.entity.js';
export { type GrantedPermissions, RoleRegistry } from './role-registry.js';
export { RolesModule } from './roles.module.js';
