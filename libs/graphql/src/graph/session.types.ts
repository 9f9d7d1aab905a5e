import { Field, ID, ObjectType } from '@nestjs/graphql';

import { DateTime } from './scalars.js';

@ObjectType({ description: 'A sign-in on one device.' })
export class Session {
  @Field(() => ID)
  readonly id!: string;

  @Field(() => DateTime)
  readonly createdAt!: string;

  @Field(() => DateTime)
  readonly lastUsedAt!: string;

  @Field(() => String, { nullable: true })
  readonly userAgent!: string | null;

  @Field(() => String, { nullable: true })
  readonly ip!: string | null;

  @Field(() => Boolean, { description: 'The one that asks.' })
  readonly isCurrent!: boolean;
}
