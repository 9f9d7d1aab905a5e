import { Args, Mutation, Query, Resolver } from '@nestjs/graphql';

import { FreshAuthentication, type RequestSource, Requires, Source } from '#libs/platform/access';
import {
  type CreateRole,
  createRoleSchema,
  type PatchRole,
  patchRoleSchema,
  roleNameSchema,
  RolesService,
  type RoleView,
} from '#libs/roles';
import { RateClass } from '#libs/security/rate-limits';

import { parsed } from '../limits/arguments.js';
import { RoleName } from '../schema/leaf-types.js';
import { NewRole, Role, RoleChange } from '../schema/role.types.js';

const readers = { roles: ['admin'], scopes: ['users:read'] } as const;
const adminsOnly = { roles: ['admin'] } as const;
const roleName = { type: () => RoleName };
const name = parsed(roleNameSchema);

@Resolver()
export class RolesResolver {
  constructor(private readonly definitions: RolesService) {}

  @Query(() => [Role], {
    nullable: true,
    description: 'All roles by name: administrators, services with `users:read`.',
  })
  @RateClass('read')
  @Requires(readers)
  async roles(): Promise<readonly RoleView[]> {
    return (await this.definitions.list()).items;
  }

  @Query(() => Role, { nullable: true, description: 'A role: administrators, services with `users:read`.' })
  @RateClass('read')
  @Requires(readers)
  role(@Args('name', roleName, name) asked: string): Promise<RoleView> {
    return this.definitions.get(asked);
  }

  @Mutation(() => Role, { nullable: true, description: 'Make a role. Administrators only.' })
  @RateClass('write')
  @Requires(adminsOnly)
  @FreshAuthentication()
  createRole(
    @Args('role', { type: () => NewRole }, parsed(createRoleSchema)) role: CreateRole,
    @Source() source: RequestSource,
  ): Promise<RoleView> {
    return this.definitions.create(role, source);
  }

  @Mutation(() => Role, {
    nullable: true,
    description: 'Change a role in part; access tokens with old permissions are dead at once. Administrators only.',
  })
  @RateClass('write')
  @Requires(adminsOnly)
  @FreshAuthentication()
  patchRole(
    @Args('name', roleName, name) changed: string,
    @Args('change', { type: () => RoleChange }, parsed(patchRoleSchema)) change: PatchRole,
    @Source() source: RequestSource,
  ): Promise<RoleView> {
    return this.definitions.patch(changed, change, source);
  }

  @Mutation(() => Boolean, {
    nullable: true,
    description: 'Remove a role; access tokens that carry it are dead at once. Administrators only.',
  })
  @RateClass('write')
  @Requires(adminsOnly)
  @FreshAuthentication()
  async deleteRole(
    @Args('name', roleName, name) removed: string,
    @Args('force', { type: () => Boolean, defaultValue: false, description: 'Take it from all who hold it, too.' })
    isForced: boolean,
    @Source() source: RequestSource,
  ): Promise<true> {
    await this.definitions.remove(removed, isForced ? 'take-from-users' : 'only-unheld', source);
    return true;
  }
}
