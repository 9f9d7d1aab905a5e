import { Args, Int, Query, Resolver } from '@nestjs/graphql';

import { AuditService, listAuditSchema } from '#libs/security/audit';
import { Requires } from '#libs/platform/access';
import { RateClass } from '#libs/security/rate-limits';

import { AuditEventConnection, AuditFilter } from './audit.types.js';
import { PagePlace } from './page-info.js';
import { parseInput, withoutNulls } from './parsed.pipe.js';

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
    const fields = { ...withoutNulls(filter), limit: String(first), ...withoutNulls({ cursor: after }) };
    const query = parseInput(listAuditSchema, fields, { limit: 'first', cursor: 'after' });
    const page = await this.audit.list(query);
    const cursorOf = this.audit.cursorsOf(query);
    return {
      nodes: page.items,
      edges: page.items.map((node) => ({ node, cursor: cursorOf(node) })),
      pageInfo: new PagePlace(page, cursorOf, after),
    };
  }
}
