import { Field, ID, Int, ObjectType } from '@nestjs/graphql';

import { DateTime } from './leaf-types.js';

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

@ObjectType()
export class AccessToken {
  @Field(() => String, { description: 'JWT (RFC 9068), for `Authorization: Bearer`.' })
  readonly accessToken!: string;

  @Field(() => String)
  readonly tokenType!: string;

  @Field(() => Int, { description: 'Seconds.' })
  readonly expiresIn!: number;

  @Field(() => ID)
  readonly sessionId!: string;
}

@ObjectType()
export class TokenPair extends AccessToken {
  @Field(() => String, { description: 'Opaque; one use.' })
  readonly refreshToken!: string;

  @Field(() => Int, { description: 'Seconds, if it is not used before.' })
  readonly refreshExpiresIn!: number;
}
