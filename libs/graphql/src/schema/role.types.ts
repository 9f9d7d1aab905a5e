import { Field, InputType, ObjectType } from '@nestjs/graphql';

import { DateTime, RoleName } from './leaf-types.js';

@ObjectType({ description: 'A name for permissions that other services know. Users hold roles.' })
export class Role {
  @Field(() => RoleName)
  readonly name!: string;

  @Field(() => String, { nullable: true })
  readonly description!: string | null;

  @Field(() => [String], { description: 'Sorted, each once.' })
  readonly permissions!: readonly string[];

  @Field(() => Boolean, { description: 'Built-in roles cannot be removed.' })
  readonly builtIn!: boolean;

  @Field(() => DateTime)
  readonly createdAt!: string;

  @Field(() => DateTime)
  readonly updatedAt!: string;
}

@InputType()
export class NewRole {
  @Field(() => RoleName)
  readonly name!: string;

  @Field(() => String, { nullable: true })
  readonly description?: string | null;

  @Field(() => [String])
  readonly permissions!: readonly string[];
}

@InputType({ description: 'What is absent stays as it is; `null` clears.' })
export class RoleChange {
  @Field(() => String, { nullable: true })
  readonly description?: string | null;

  @Field(() => [String], { nullable: true, description: 'In place of all that the role had.' })
  readonly permissions?: readonly string[];
}
