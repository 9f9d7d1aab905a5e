export { RoleEntity, RoleGenerationEntity, RoleSetEntity } from './role.entity.js';
export { RoleGrants } from './role-grants.service.js';
export { RoleHolders, type TakenBatch } from './role-holders.js';
export { type GrantedPermissions, RoleRegistry } from './role-registry.js';
export { RolesModule } from './roles.module.js';
export {
  type CreateRole,
  createRoleSchema,
  type PatchRole,
  patchRoleSchema,
  roleNameSchema,
  type RoleView,
} from './roles.schema.js';
export { RolesService } from './roles.service.js';
