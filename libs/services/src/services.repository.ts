import type { InferEntity } from '@mikro-orm/sql';
import { LockMode, SqlEntityManager } from '@mikro-orm/sql';
import { Inject, Injectable } from '@nestjs/common';

import type { Grant } from '#libs/platform/access';
import { type Config, CONFIG } from '#libs/platform/config';
import { audienceKey } from '#libs/platform/contract';
import { epochMs } from '#libs/platform/database';
import { AppError } from '#libs/platform/errors';

import { ServiceEntity } from './service.entity.js';

export type Service = InferEntity<typeof ServiceEntity>;

/** There are as many services as a team has microservices. */
const listLimit = 1_000;

/** The rows of services. */
@Injectable()
export class ServicesRepository {
  constructor(
    private readonly em: SqlEntityManager,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** By name, at most 1,000. */
  list(): Promise<Service[]> {
    return this.em.fork().find(ServiceEntity, {}, { orderBy: { name: 'asc' }, limit: listLimit });
  }

  listActive(): Promise<Service[]> {
    return this.em.fork().find(ServiceEntity, { status: 'active' });
  }

  /** @throws AppError `service-not-found` */
  async find(name: string, em = this.em.fork()): Promise<Service> {
    return found(await em.findOne(ServiceEntity, { name }));
  }

  /** Locks the row, so that the second of two changes starts from the result of the first. */
  async findForUpdate(name: string, em: SqlEntityManager): Promise<Service> {
    return found(await em.findOne(ServiceEntity, { name }, { lockMode: LockMode.PESSIMISTIC_WRITE }));
  }

  async writeLastUsed(names: readonly string[]): Promise<void> {
    await this.em.fork().nativeUpdate(ServiceEntity, { name: [...names] }, { lastUsedAt: new Date() });
  }

  /**
   * The columns of an audience. Another service's is refused by its key being unique.
   * @throws AppError `audience-taken` for our own
   */
  audienceColumns(audience: string | null): Pick<Service, 'audience' | 'audienceKey'> {
    const key = audience === null ? null : audienceKey(audience);
    if (key === audienceKey(this.config.AUDIENCE)) throw new AppError('audience-taken');
    return { audience, audienceKey: key };
  }

  /**
   * Grants with their audiences as the services of these audiences have registered them.
   * @throws AppError `unknown-audience`; `invalid-request` for two grants of one audience
   */
  async toRegistered(grants: readonly Grant[], em: SqlEntityManager): Promise<readonly Grant[]> {
    if (grants.length === 0) return [];
    const keys = grants.map(({ audience }) => audienceKey(audience));
    const rows = await em.execute<{ audience: string; audience_key: string }[]>(
      'select audience, audience_key from services where audience_key in (select jsonb_array_elements_text(?::jsonb))',
      [JSON.stringify(keys)],
    );
    const registered = new Map(rows.map((row) => [row.audience_key, row.audience]));
    return grants.map(({ audience, permissions }, at) => {
      const [key = '', path] = [keys[at], `grants.${at}.audience`];
      const spelling = registered.get(key);
      if (spelling === undefined)
        throw refusedGrant('unknown-audience', path, `no service has the audience ${audience}`);
      if (keys.indexOf(key) !== at) throw refusedGrant('invalid-request', path, `is granted twice: ${audience}`);
      return { audience: spelling, permissions };
    });
  }
}

/** A time by the database's clock, which is the one that every replica judges by. */
export async function databaseTimeIn(seconds: number, em: SqlEntityManager): Promise<Date> {
  const end = epochMs('(now() + make_interval(secs => ?))');
  const [row] = await em.execute<{ ms: number }[]>(`select ${end} as ms`, [seconds]);
  return new Date(row?.ms ?? Date.now());
}

function found(service: Service | null): Service {
  if (!service) throw new AppError('service-not-found');
  return service;
}

function refusedGrant(code: 'unknown-audience' | 'invalid-request', path: string, message: string): AppError {
  const detail = code === 'unknown-audience' ? 'A grant names an audience that no service has.' : undefined;
  const errors = [{ path, message, code: code === 'unknown-audience' ? code : 'duplicate' }];
  return new AppError(code, { errors, ...(detail !== undefined && { detail }) });
}
