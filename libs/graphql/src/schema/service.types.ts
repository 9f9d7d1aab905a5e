import { Field, Int, ObjectType } from '@nestjs/graphql';

import { DateTime, Scope, Status } from './leaf-types.js';

@ObjectType('RateRule')
export class RateLimitView {
  @Field(() => Int)
  readonly limit!: number;

  @Field(() => Int)
  readonly windowSeconds!: number;
}

@ObjectType({ description: 'Requests per window by class.' })
export class RatePlan {
  @Field(() => RateLimitView)
  readonly read!: RateLimitView;

  @Field(() => RateLimitView)
  readonly write!: RateLimitView;

  @Field(() => RateLimitView)
  readonly login!: RateLimitView;

  @Field(() => RateLimitView)
  readonly hash!: RateLimitView;

  @Field(() => RateLimitView)
  readonly upload!: RateLimitView;
}

@ObjectType({ description: 'What a service may do at another one.' })
export class Grant {
  @Field(() => String, { description: 'That of the other service.' })
  readonly audience!: string;

  @Field(() => [String])
  readonly permissions!: readonly string[];
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

  @Field(() => String, { nullable: true, description: 'What tokens for it name in `aud`.' })
  readonly audience!: string | null;

  @Field(() => [String], { description: 'What its API knows; empty: any.' })
  readonly permissions!: readonly string[];

  @Field(() => [Grant])
  readonly grants!: readonly Grant[];

  @Field(() => Status)
  readonly status!: string;

  @Field(() => DateTime, { nullable: true, description: 'To the minute.' })
  readonly lastUsedAt!: string | null;

  @Field(() => DateTime)
  readonly createdAt!: string;

  @Field(() => DateTime)
  readonly updatedAt!: string;
}
