import { Args, Int, Query, Resolver } from '@nestjs/graphql';

import { AuditService, listAuditSchema } from '#libs/security/audit';
import { Requires } from '#libs/platform/access';
import { RateClass } from '#libs/security/rate-limits';

import { parseList } from '../limits/arguments.js';
import { AuditEventConnection, AuditFilter } from '../schema/audit.types.js';
import { PageInfoView } from '../schema/page-info-view.js';

@Resolver()
export class AuditResolver {
  constructor(private readonly audit: AuditService) {}

  @Query(() => AuditEventConnection, {
    nullable: true,
    description: 'Security events, newest first. Administrators only.',
  })
  @RateClass('read')
  @Requires({ roles: ['admin'] })
  async auditEvents(
    @Args('filter', { type: () => AuditFilter, nullable: true }) filter: AuditFilter | undefined,
    @Args('first', { type: () => Int, defaultValue: 20, description: 'Events on a page, 1 to 100.' }) first: number,
    @Args('after', { type: () => String, nullable: true }) after: string | undefined,
  ): Promise<object> {
    const query = parseList(listAuditSchema, { filter, first, after });
    const page = await this.audit.list(query);
    const cursorOf = this.audit.cursorsOf(query);
    return {
      nodes: page.items,
      edges: page.items.map((node) => ({ node, cursor: cursorOf(node) })),
      pageInfo: new PageInfoView(page, cursorOf, after),
    };
  }
}
