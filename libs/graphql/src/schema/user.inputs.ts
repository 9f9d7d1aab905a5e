import { Field, InputType } from '@nestjs/graphql';

import { DateTime, Json, RoleName, Status } from './leaf-types.js';

@InputType({ description: 'All that are given must hold; what is null counts as not given.' })
export class UserFilter {
  @Field(() => String, { nullable: true, description: 'The user with just this name, in any case.' })
  readonly userName?: string;

  @Field(() => String, { nullable: true, description: 'The user with just this address, in any case.' })
  readonly email?: string;

  @Field(() => String, { nullable: true, description: 'The user with just this subject.' })
  readonly subject?: string;

  @Field(() => Json, {
    nullable: true,
    description: 'Values of properties that the schema of profiles lets one filter by: `{ department: "sales" }`.',
  })
  readonly profile?: unknown;

  @Field(() => Json, { nullable: true, description: 'The same for metadata.' })
  readonly metadata?: unknown;

  @Field(() => Status, { nullable: true })
  readonly status?: string;

  @Field(() => RoleName, { nullable: true })
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

  @Field(() => [RoleName], { nullable: true, description: 'Only an administrator may give roles.' })
  readonly roles?: readonly string[];

  @Field(() => Json, { nullable: true, description: 'An object that the schema of profiles allows.' })
  readonly profile?: unknown;

  @Field(() => Json, { nullable: true, description: 'Administrators, and services with `users:write`.' })
  readonly metadata?: unknown;
}

@InputType({ description: 'What is absent stays as it is; `null` clears.' })
export class UserChange {
  @Field(() => String, { nullable: true })
  readonly firstName?: string;

  @Field(() => String, { nullable: true })
  readonly lastName?: string;

  @Field(() => String, { nullable: true })
  readonly email?: string | null;

  @Field(() => [RoleName], { nullable: true, description: 'Administrators only.' })
  readonly roles?: readonly string[];

  @Field(() => Status, { nullable: true, description: 'Administrators only.' })
  readonly status?: string;

  @Field(() => Json, { nullable: true, description: 'A JSON Merge Patch (RFC 7396): `null` removes a member.' })
  readonly profile?: unknown;

  @Field(() => Json, { nullable: true, description: 'The same: administrators, and services with `users:write`.' })
  readonly metadata?: unknown;
}

@InputType()
export class PasswordChangeInput {
  @Field(() => String, { nullable: true, description: 'Required to change your own.' })
  readonly currentPassword?: string;

  @Field(() => String)
  readonly password!: string;
}

@InputType({ description: '`token`, or `email` and `code`.' })
export class EmailConfirmation {
  @Field(() => String, { nullable: true, description: 'What stands behind the `#` of the link.' })
  readonly token?: string | null;

  @Field(() => String, { nullable: true, description: 'The address that the code was sent to.' })
  readonly email?: string | null;

  @Field(() => String, { nullable: true, description: 'The 8 digits of the mail.' })
  readonly code?: string | null;
}
