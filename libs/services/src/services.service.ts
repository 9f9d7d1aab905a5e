import type { InferEntity } from '@mikro-orm/sql';
import { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';

import { type AuditEvent, AuditTrail } from '#libs/audit';
import type { Origin } from '#libs/platform/access';
import { digest, randomToken } from '#libs/platform/crypto';
import { Changes, violatedConstraint } from '#libs/platform/database';
import { AppError } from '#libs/platform/errors';

import { ServiceEntity } from './service.entity.js';
import { ServiceRegistry, servicesTopic } from './service-registry.js';
import type {
  CreatedService,
  CreateService,
  NewSecret,
  PatchService,
  ServiceList,
  ServiceView,
} from './services.schema.js';

type Service = InferEntity<typeof ServiceEntity>;
type Who = Origin | 'operator';

/** Long enough to roll the new secret out to every instance of a service. */
const overlapMs = 24 * 3_600_000;

/** Keeps the calling microservices; every change acts on every replica at once. */
@Injectable()
export class ServicesService {
  constructor(
    private readonly em: SqlEntityManager,
    private readonly registry: ServiceRegistry,
    private readonly changes: Changes,
    private readonly audit: AuditTrail,
  ) {}

  /** @throws AppError `service-name-taken` */
  async create(input: CreateService, who: Who): Promise<CreatedService> {
    const secret = randomToken();
    const { name, description = null, scopes } = input;
    const view = await this.#change(name, 'service-created', who, async (em) => {
      const service = em.create(ServiceEntity, { name, description, scopes, secretHash: digest(secret) });
      await em.flush();
      return viewOf(service);
    }).catch((error: unknown) => {
      if (violatedConstraint(error) === 'services_name_unique')
        throw new AppError('service-name-taken', { cause: error });
      throw error;
    });
    return { ...view, secret };
  }

  /** By name; there are as many as a team has microservices, and never more than 1,000 are answered. */
  async list(): Promise<ServiceList> {
    const rows = await this.em.fork().find(ServiceEntity, {}, { orderBy: { name: 'asc' }, limit: 1_000 });
    return { items: rows.map(viewOf) };
  }

  /** @throws AppError `service-not-found` */
  async get(name: string): Promise<ServiceView> {
    return viewOf(await find(this.em.fork(), name));
  }

  /** @throws AppError `service-not-found` */
  patch(name: string, { description, scopes, status }: PatchService, who: Who): Promise<ServiceView> {
    return this.#change(name, 'service-changed', who, async (em) => {
      const service = await find(em, name);
      if (description !== undefined) service.description = description;
      if (scopes !== undefined) service.scopes = scopes;
      if (status !== undefined) service.status = status;
      await em.flush();
      return viewOf(service);
    });
  }

  /** A new secret; the old one works for another 24 h. @throws AppError `service-not-found` */
  rotateSecret(name: string, who: Who): Promise<NewSecret> {
    const secret = randomToken();
    return this.#change(name, 'service-secret-rotated', who, async (em) => {
      const service = await find(em, name);
      service.previousHash = service.secretHash;
      service.previousUntil = new Date(Date.now() + overlapMs);
      service.secretHash = digest(secret);
      return { secret, previousUntil: service.previousUntil.toISOString() };
    });
  }

  /** @throws AppError `service-not-found` */
  async remove(name: string, who: Who): Promise<void> {
    await this.#change(name, 'service-deleted', who, async (em) => {
      em.remove(await find(em, name));
    });
  }

  async #change<T>(
    name: string,
    event: AuditEvent['event'],
    who: Who,
    work: (em: SqlEntityManager) => Promise<T>,
  ): Promise<T> {
    const result = await this.em.fork().transactional(async (em) => {
      const value = await work(em);
      await this.audit.record({ event, details: { service: name } }, who, em);
      await this.changes.publish(em, servicesTopic, 'changed');
      return value;
    });
    await this.registry.reload();
    return result;
  }
}

async function find(em: SqlEntityManager, name: string): Promise<Service> {
  const service = await em.findOne(ServiceEntity, { name });
  if (!service) throw new AppError('service-not-found');
  return service;
}

function viewOf({ name, description, scopes, status, lastUsedAt, createdAt, updatedAt }: Service): ServiceView {
  return {
    name,
    description: description ?? null,
    scopes: [...scopes],
    status,
    lastUsedAt: lastUsedAt?.toISOString() ?? null,
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  };
}
