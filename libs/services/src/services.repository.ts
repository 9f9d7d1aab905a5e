import type { InferEntity } from '@mikro-orm/sql';
import { LockMode, SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';

import { epochMs } from '#libs/platform/database';
import { AppError } from '#libs/platform/errors';

import { ServiceEntity } from './service.entity.js';

export type Service = InferEntity<typeof ServiceEntity>;

/** There are as many services as a team has microservices. */
const listLimit = 1_000;

/** The rows of services. */
@Injectable()
export class ServicesRepository {
  constructor(private readonly em: SqlEntityManager) {}

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
