import { Field, Int, ObjectType } from '@nestjs/graphql';

import { Scope, Status } from './enums.js';
import { DateTime } from './scalars.js';

@ObjectType()
export class RateRule {
  @Field(() => Int)
  readonly limit!: number;

  @Field(() => Int)
  readonly windowSeconds!: number;
}

@ObjectType({ description: 'Requests per window by class.' })
export class RatePlan {
  @Field(() => RateRule)
  readonly read!: RateRule;

  @Field(() => RateRule)
  readonly write!: RateRule;

  @Field(() => RateRule)
  readonly login!: RateRule;

  @Field(() => RateRule)
  readonly hash!: RateRule;

  @Field(() => RateRule)
  readonly upload!: RateRule;
}

@ObjectType({ description: 'A calling microservice. It is made and changed over REST.' })
export class Service {
  @Field(() => String)
  readonly name!: string;

  @Field(() => String, { nullable: true })
  readonly description!: string | null;

  @Field(() => [Scope])
  readonly scopes!: readonly string[];

  @Field(() => RatePlan)
  readonly plan!: RatePlan;

  @Field(() => Status)
  readonly status!: string;

  @Field(() => DateTime, { nullable: true, description: 'To the minute.' })
  readonly lastUsedAt!: string | null;

  @Field(() => DateTime)
  readonly createdAt!: string;

  @Field(() => DateTime)
  readonly updatedAt!: string;
}
