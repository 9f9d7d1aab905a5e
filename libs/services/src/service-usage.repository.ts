import { Injectable } from '@nestjs/common';

import type { RateClassName } from '#libs/platform/access';
import { Sql } from '#libs/platform/database';

type Row = { readonly rate_class: RateClassName; readonly used: number; readonly refused: number };

export type Counts = { used: number; refused: number };
export type ServiceCounts = { readonly service: string; readonly rateClass: RateClassName; readonly counts: Counts };

/** In the order of the unique key, so that replicas that write at once cannot deadlock. */
const add = {
  name: 'service-usage-add',
  text: `insert into service_usage (service_id, rate_class, hour, used, refused)
    select s.id, u.rate_class, date_trunc('hour', now(), 'UTC'), u.used, u.refused
    from unnest($1::text[], $2::text[], $3::int[], $4::int[]) as u (service, rate_class, used, refused)
    join services s on s.name = u.service
    order by s.id, u.rate_class
    on conflict (service_id, rate_class, hour) do update
      set used = service_usage.used + excluded.used, refused = service_usage.refused + excluded.refused`,
};
const ofLastDay = {
  name: 'service-usage-day',
  text: `select rate_class, sum(used)::float8 as used, sum(refused)::float8 as refused from service_usage
    where service_id = (select id from services where name = $1)
      and hour > date_trunc('hour', now(), 'UTC') - interval '24 hours'
    group by rate_class`,
};

/** What services asked for, by class and hour. */
@Injectable()
export class ServiceUsageRepository {
  constructor(private readonly sql: Sql) {}

  /** Adds to the current hour. */
  async add(rows: readonly ServiceCounts[]): Promise<void> {
    await this.sql.rows(add, [
      rows.map(({ service }) => service),
      rows.map(({ rateClass }) => rateClass),
      rows.map(({ counts }) => counts.used),
      rows.map(({ counts }) => counts.refused),
    ]);
  }

  /** In the current hour and the 23 before. A class that was not used is absent. */
  async ofLastDay(service: string): Promise<ReadonlyMap<RateClassName, Counts>> {
    const rows = await this.sql.rows<Row>(ofLastDay, [service]);
    return new Map(rows.map(({ rate_class: name, used, refused }) => [name, { used, refused }]));
  }
}
