import { Field, ID, InputType, Int, ObjectType } from '@nestjs/graphql';

import { Role, Status } from './enums.js';
import { PageInfo } from './page-info.js';
import { DateTime } from './scalars.js';

@ObjectType({
  description:
    'A picture. It is set and taken away over REST: `PUT` and `DELETE /v1/users/{id}/avatar`, as a multipart form.',
})
export class Avatar {
  @Field(() => [Int], { description: 'Edges in pixels of the squares that there are.' })
  readonly sizes!: readonly number[];
}

@ObjectType()
export class User {
  @Field(() => ID)
  readonly id!: string;

  @Field(() => String, { description: 'Unique without regard to case.' })
  readonly userName!: string;

  @Field(() => String)
  readonly firstName!: string;

  @Field(() => String)
  readonly lastName!: string;

  @Field(() => String, { nullable: true })
  readonly email!: string | null;

  @Field(() => [Role])
  readonly roles!: readonly string[];

  @Field(() => Status)
  readonly status!: string;

  @Field(() => Avatar, { nullable: true })
  readonly avatar!: Avatar | null;

  @Field(() => DateTime)
  readonly createdAt!: string;

  @Field(() => DateTime)
  readonly updatedAt!: string;

  @Field(() => String, { description: 'The version, as the header `ETag` has it over REST; for `ifMatch`.' })
  readonly etag!: string;
}

@ObjectType()
export class UserEdge {
  @Field(() => String)
  readonly cursor!: string;

  @Field(() => User)
  readonly node!: User;
}

@ObjectType({ description: 'A page of users.' })
export class UserConnection {
  @Field(() => [UserEdge])
  readonly edges!: readonly UserEdge[];

  @Field(() => [User], { description: 'The users of the edges, for those who need no cursor of each.' })
  readonly nodes!: readonly User[];

  @Field(() => PageInfo)
  readonly pageInfo!: PageInfo;
}

@InputType({ description: 'All that are given must hold; what is null counts as not given.' })
export class UserFilter {
  @Field(() => String, { nullable: true, description: 'The user with just this name, in any case.' })
  readonly userName?: string;

  @Field(() => String, { nullable: true, description: 'The user with just this address, in any case.' })
  readonly email?: string;

  @Field(() => Status, { nullable: true })
  readonly status?: string;

  @Field(() => Role, { nullable: true })
  readonly role?: string;

  @Field(() => DateTime, { nullable: true })
  readonly createdAfter?: string;

  @Field(() => DateTime, { nullable: true })
  readonly createdBefore?: string;

  @Field(() => String, {
    nullable: true,
    description: 'A part of the user name, of both names or of the e-mail address.',
  })
  readonly q?: string;
}

@InputType()
export class NewUser {
  @Field(() => String)
  readonly userName!: string;

  @Field(() => String)
  readonly firstName!: string;

  @Field(() => String)
  readonly lastName!: string;

  @Field(() => String)
  readonly password!: string;

  @Field(() => String, { nullable: true })
  readonly email?: string | null;

  @Field(() => [Role], { nullable: true, description: 'Only an administrator may give roles.' })
  readonly roles?: readonly string[];
}

@InputType({ description: 'What is absent stays as it is; `null` clears.' })
export class UserChange {
  @Field(() => String, { nullable: true })
  readonly firstName?: string;

  @Field(() => String, { nullable: true })
  readonly lastName?: string;

  @Field(() => String, { nullable: true })
  readonly email?: string | null;

  @Field(() => [Role], { nullable: true, description: 'Administrators only.' })
  readonly roles?: readonly string[];

  @Field(() => Status, { nullable: true, description: 'Administrators only.' })
  readonly status?: string;
}

@InputType()
export class PasswordChangeInput {
  @Field(() => String, { nullable: true, description: 'Required to change your own.' })
  readonly currentPassword?: string;

  @Field(() => String)
  readonly password!: string;
}
