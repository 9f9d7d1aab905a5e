import { Field, InputType } from '@nestjs/graphql';

@InputType({ description: '`token`, or `email` and `code`.' })
export class PasswordResetInput {
  @Field(() => String, { nullable: true, description: 'What stands behind the `#` of the link.' })
  readonly token?: string;

  @Field(() => String, { nullable: true, description: 'The address that the code went to.' })
  readonly email?: string;

  @Field(() => String, { nullable: true, description: 'The 8 digits of the mail.' })
  readonly code?: string;

  @Field(() => String, { description: 'The new one.' })
  readonly password!: string;
}
