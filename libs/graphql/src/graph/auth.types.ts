import { Field, ID, Int, ObjectType } from '@nestjs/graphql';

@ObjectType()
export class TokenPair {
  @Field(() => String, { description: 'JWT (RFC 9068), for `Authorization: Bearer`.' })
  readonly accessToken!: string;

  @Field(() => String)
  readonly tokenType!: string;

  @Field(() => Int, { description: 'Seconds.' })
  readonly expiresIn!: number;

  @Field(() => String, { description: 'Opaque; one use.' })
  readonly refreshToken!: string;

  @Field(() => Int, { description: 'Seconds, if it is not used before.' })
  readonly refreshExpiresIn!: number;

  @Field(() => ID)
  readonly sessionId!: string;
}
