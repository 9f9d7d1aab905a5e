import { Module } from '@nestjs/common';

import { AuditModule } from '#libs/security/audit';
import { RevocationModule } from '#libs/security/revocation';

import { RoleGrants } from './role-grants.service.js';
import { RoleRegistry } from './role-registry.js';
import { RoleRemoval } from './role-removal.service.js';
import { RolesController } from './roles.controller.js';
import { RolesRepository } from './roles.repository.js';
import { RolesService } from './roles.service.js';

/** Needs the `RoleHolders` that the users lib provides. */
@Module({
  imports: [AuditModule, RevocationModule],
  controllers: [RolesController],
  providers: [RoleGrants, RoleRegistry, RoleRemoval, RolesRepository, RolesService],
  exports: [RoleGrants, RoleRegistry, RolesService],
})
export class RolesModule {}
