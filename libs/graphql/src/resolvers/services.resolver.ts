import { Query, Resolver } from '@nestjs/graphql';

import { Requires } from '#libs/platform/access';
import { RateClass } from '#libs/security/rate-limits';
import { ServicesService, type ServiceView } from '#libs/services';

import { Service } from '../schema/service.types.js';

@Resolver()
export class ServicesResolver {
  constructor(private readonly registered: ServicesService) {}

  @Query(() => [Service], { nullable: true, description: 'All calling microservices by name. Administrators only.' })
  @RateClass('read')
  @Requires({ roles: ['admin'] })
  async services(): Promise<readonly ServiceView[]> {
    return (await this.registered.list()).items;
  }
}
