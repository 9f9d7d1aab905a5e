import { Field, ID, InputType, ObjectType } from '@nestjs/graphql';

import { DateTime, RoleName } from './leaf-types.js';
import { PageInfoView } from './page-info-view.js';

@ObjectType({ description: 'An account that is prepared for somebody, who makes it by a link.' })
export class Invitation {
  @Field(() => ID)
  readonly id!: string;

  @Field(() => String)
  readonly email!: string;

  @Field(() => [RoleName])
  readonly roles!: readonly string[];

  @Field(() => String, { nullable: true })
  readonly firstName!: string | null;

  @Field(() => String, { nullable: true })
  readonly lastName!: string | null;

  @Field(() => DateTime)
  readonly createdAt!: string;

  @Field(() => DateTime)
  readonly expiresAt!: string;
}

@ObjectType()
export class CreatedInvitation extends Invitation {
  @Field(() => String, { description: 'The link, whose token is shown once, here.' })
  readonly url!: string;
}

@ObjectType()
export class InvitationEdge {
  @Field(() => String)
  readonly cursor!: string;

  @Field(() => Invitation)
  readonly node!: Invitation;
}

@ObjectType({ description: 'A page of invitations that are open, newest first.' })
export class InvitationConnection {
  @Field(() => [InvitationEdge])
  readonly edges!: readonly InvitationEdge[];

  @Field(() => [Invitation])
  readonly nodes!: readonly Invitation[];

  @Field(() => PageInfoView)
  readonly pageInfo!: PageInfoView<Invitation>;
}

@InputType()
export class NewInvitation {
  @Field(() => String)
  readonly email!: string;

  @Field(() => [RoleName], { nullable: true, description: 'Only an administrator may give roles.' })
  readonly roles?: readonly string[];

  @Field(() => String, { nullable: true })
  readonly firstName?: string | null;

  @Field(() => String, { nullable: true })
  readonly lastName?: string | null;
}

@InputType()
export class InvitationAcceptance {
  @Field(() => String, { description: 'What stands behind the `#` of the link.' })
  readonly token!: string;

  @Field(() => String)
  readonly userName!: string;

  @Field(() => String)
  readonly password!: string;

  @Field(() => String, { nullable: true, description: 'That of the invitation if absent.' })
  readonly firstName?: string | null;

  @Field(() => String, { nullable: true, description: 'That of the invitation if absent.' })
  readonly lastName?: string | null;
}
