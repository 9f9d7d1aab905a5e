import { Field, ID, Int, ObjectType } from '@nestjs/graphql';

import { DateTime } from './leaf-types.js';

@ObjectType({ description: 'Something that you have beside the password.' })
export class Factor {
  @Field(() => ID)
  readonly id!: string;

  @Field(() => String, { description: '`totp`: an authenticator app.' })
  readonly kind!: string;

  @Field(() => DateTime)
  readonly createdAt!: string;

  @Field(() => DateTime, { nullable: true })
  readonly lastUsedAt!: string | null;
}

@ObjectType()
export class SecondFactor {
  @Field(() => [Factor], { description: 'Those that are in use; none when it is off.' })
  readonly factors!: readonly Factor[];

  @Field(() => Int)
  readonly recoveryCodesLeft!: number;
}

@ObjectType({ description: 'Not in use before `confirmTotp`.' })
export class StartedTotp {
  @Field(() => String, { description: 'Base32 (RFC 4648), to be typed into an app.' })
  readonly secret!: string;

  @Field(() => String, { description: '`otpauth:` URI of the secret, as apps take it.' })
  readonly uri!: string;

  @Field(() => String, { description: 'QR code of `uri`: a data URL of an SVG image.' })
  readonly qr!: string;
}

@ObjectType({ description: 'Each is good once; shown this once only.' })
export class RecoveryCodes {
  @Field(() => [String])
  readonly recoveryCodes!: readonly string[];
}
