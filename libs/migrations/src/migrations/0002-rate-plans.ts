import { Migration } from '@mikro-orm/migrations';

/** Rate plans of services, and what services used. */
export class RatePlans extends Migration {
  override up(): void {
    this.addSql(`alter table services add column plan jsonb not null default '{}'`);

    this.addSql(`create table service_usage (
      id bigserial primary key,
      service_id uuid not null,
      rate_class text not null,
      hour timestamptz(0) not null,
      used bigint not null,
      refused bigint not null,
      constraint service_usage_service_id_rate_class_hour_unique unique (service_id, rate_class, hour),
      constraint service_usage_service_id_foreign foreign key (service_id) references services (id) on delete cascade
    )`);
    this.addSql('create index service_usage_hour_index on service_usage (hour)');
  }
}
