import { Module } from '@nestjs/common';

import { RoleRegistry } from './role-registry.js';
import { RolesRepository } from './roles.repository.js';

@Module({ providers: [RoleRegistry, RolesRepository], exports: [RoleRegistry] })
export class RolesModule {}
