import { Args, Context, ID, Int, Mutation, Query, Resolver } from '@nestjs/graphql';

import {
  AcceptanceService,
  type AcceptInvitation,
  acceptInvitationSchema,
  type CreatedInvitation as Created,
  invitationIdSchema,
  InvitationsService,
  type InvitationView,
  type Invite,
  inviteSchema,
  listInvitationsSchema,
} from '#libs/invitations';
import { PublicOrService, type RequestContext, type RequestSource, Requires, Source } from '#libs/platform/access';
import { ClientGone } from '#libs/platform/http';
import { Idempotency, type IdempotencyLock, idempotentRequestOf } from '#libs/platform/idempotency';
import { RateClass } from '#libs/security/rate-limits';

import { parsed, parseList } from '../limits/arguments.js';
import {
  CreatedInvitation,
  InvitationAcceptance,
  InvitationConnection,
  NewInvitation,
} from '../schema/invitation.types.js';
import { PageInfoView } from '../schema/page-info-view.js';
import { User } from '../schema/user.types.js';

const readers = { roles: ['admin'], scopes: ['users:read', 'users:write'] } as const;
const writers = { roles: ['admin'], scopes: ['users:write'] } as const;

@Resolver()
export class InvitationsResolver {
  constructor(
    private readonly opened: InvitationsService,
    private readonly acceptances: AcceptanceService,
    private readonly idempotency: Idempotency,
  ) {}

  @Query(() => InvitationConnection, {
    nullable: true,
    description: 'Invitations that are open: administrators, services with `users:read` or `users:write`.',
  })
  @RateClass('read')
  @Requires(readers)
  async invitations(
    @Args('first', { type: () => Int, defaultValue: 20, description: 'Invitations on a page, 1 to 100.' })
    first: number,
    @Args('after', { type: () => String, nullable: true }) after: string | undefined,
  ): Promise<object> {
    const page = await this.opened.list(parseList(listInvitationsSchema, { filter: undefined, first, after }));
    const cursorOf = (invitation: InvitationView): string => this.opened.cursorOf(invitation);
    return {
      nodes: page.items,
      edges: page.items.map((node) => ({ node, cursor: cursorOf(node) })),
      pageInfo: new PageInfoView(page, cursorOf, after),
    };
  }

  @Mutation(() => CreatedInvitation, {
    nullable: true,
    description:
      'Invite somebody to make an account: administrators, services with `users:write`. The header `Idempotency-Key` works as over REST, for one `invite` in an operation.',
  })
  @RateClass('write')
  @Requires(writers)
  invite(
    @Args('input', { type: () => NewInvitation }, parsed(inviteSchema)) input: Invite,
    @Source() source: RequestSource,
    @Context() context: RequestContext,
  ): Promise<Created> {
    const attempt = idempotentRequestOf(context, ['POST', '/graphql', 'invite'], input);
    return this.idempotency.run(attempt, (lock: IdempotencyLock<Created> | undefined) =>
      this.opened.create(input, source, lock),
    );
  }

  @Mutation(() => Boolean, {
    nullable: true,
    description: 'Withdraw an invitation: administrators, services with `users:write`.',
  })
  @RateClass('write')
  @Requires(writers)
  async withdrawInvitation(
    @Args('id', { type: () => ID }, parsed(invitationIdSchema)) id: string,
    @Source() source: RequestSource,
  ): Promise<true> {
    await this.opened.withdraw(id, source);
    return true;
  }

  @Mutation(() => User, {
    nullable: true,
    description: 'Make the account that an invitation is for. It signs nobody in.',
  })
  @PublicOrService()
  @RateClass('hash')
  async acceptInvitation(
    @Args('input', { type: () => InvitationAcceptance }, parsed(acceptInvitationSchema)) input: AcceptInvitation,
    @Source() source: RequestSource,
    @ClientGone() signal: AbortSignal,
  ): Promise<User> {
    return new User(await this.acceptances.accept(input, source, signal));
  }
}
