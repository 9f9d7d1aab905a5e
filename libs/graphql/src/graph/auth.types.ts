import { Field, ID, Int, ObjectType } from '@nestjs/graphql';

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
