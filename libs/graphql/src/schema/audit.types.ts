import { Field, ID, InputType, ObjectType } from '@nestjs/graphql';

import { AuditEventName, DateTime, Json } from './leaf-types.js';
import { PageInfoView } from './page-info-view.js';

@ObjectType()
export class AuditEvent {
  @Field(() => ID)
  readonly id!: string;

  @Field(() => DateTime)
  readonly at!: string;

  @Field(() => AuditEventName)
  readonly event!: string;

  @Field(() => ID, { nullable: true, description: 'Whom it is about.' })
  readonly userId!: string | null;

  @Field(() => String, {
    nullable: true,
    description: '`sub` of the tokens of the user whom it is about; null of a user who was erased.',
  })
  readonly subject!: string | null;

  @Field(() => String, { description: '`user:<id>`, `service:<name>`, `anonymous` or `operator`.' })
  readonly caller!: string;

  @Field(() => String, { nullable: true, description: '`sub` of the tokens of the user who called.' })
  readonly callerSubject!: string | null;

  @Field(() => String, { nullable: true })
  readonly ip!: string | null;

  @Field(() => String, { nullable: true })
  readonly userAgent!: string | null;

  @Field(() => String, { nullable: true })
  readonly requestId!: string | null;

  @Field(() => Json, { nullable: true })
  readonly details!: object | null;
}

@ObjectType()
export class AuditEventEdge {
  @Field(() => String)
  readonly cursor!: string;

  @Field(() => AuditEvent)
  readonly node!: AuditEvent;
}

@ObjectType({ description: 'A page of security events, newest first.' })
export class AuditEventConnection {
  @Field(() => [AuditEventEdge])
  readonly edges!: readonly AuditEventEdge[];

  @Field(() => [AuditEvent])
  readonly nodes!: readonly AuditEvent[];

  @Field(() => PageInfoView)
  readonly pageInfo!: PageInfoView<AuditEvent>;
}

@InputType({ description: 'All that are given must hold; what is null counts as not given.' })
export class AuditFilter {
  @Field(() => AuditEventName, { nullable: true })
  readonly event?: string;

  @Field(() => ID, { nullable: true })
  readonly userId?: string;

  @Field(() => String, { nullable: true, description: 'About the user whose tokens have this `sub`.' })
  readonly subject?: string;

  @Field(() => DateTime, { nullable: true, description: 'Only later ones.' })
  readonly after?: string;

  @Field(() => DateTime, { nullable: true, description: 'Only earlier ones.' })
  readonly before?: string;
}
