import type { InferEntity } from '@mikro-orm/sql';
import { LockMode, SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';

import { type Actor, type AuditEvent, AuditTrail } from '#libs/security/audit';
import { SessionEndService } from '#libs/auth';
import { isAdmin, type Principal } from '#libs/platform/access';
import { digest, randomToken } from '#libs/platform/crypto';
import { epochMs, rethrowViolation } from '#libs/platform/database';
import { AppError } from '#libs/platform/errors';
import { RevocationsService, type Revoke } from '#libs/security/revocation';

import { patchedParts, type PlanParts, planOf } from './rate-plan.js';
import { changesBetween } from './service-changes.js';
import { ServiceEntity } from './service.entity.js';
import { ServiceRegistry } from './service-registry.js';
import { ServiceUsage } from './service-usage.service.js';
import type {
  CreatedService,
  CreateService,
  NewSecret,
  PatchService,
  ServiceList,
  ServiceUsageView,
  ServiceView,
} from './services.schema.js';

type Service = InferEntity<typeof ServiceEntity>;
/** Long enough to roll the new secret out to every instance of a service. */
const overlapSeconds = 24 * 3_600;

/** Keeps the calling microservices; every change acts on every replica at once. */
const rethrowTaken = rethrowViolation({
  services_name_unique: (cause) => new AppError('service-name-taken', { cause }),
});

@Injectable()
export class ServicesService {
  constructor(
    private readonly em: SqlEntityManager,
    private readonly registry: ServiceRegistry,
    private readonly audit: AuditTrail,
    private readonly recorded: ServiceUsage,
    private readonly revocations: RevocationsService,
    private readonly sessionEnd: SessionEndService,
  ) {}

  /** @throws AppError `service-name-taken` */
  async create(input: CreateService, by: Actor): Promise<CreatedService> {
    const secret = randomToken();
    const { name, description = null, scopes, plan = {} } = input;
    const view = await this.#change(name, 'service-created', by, async (em) => {
      const secretHash = digest(secret);
      const service = em.create(ServiceEntity, { name, description, scopes, plan: tidy(plan), secretHash });
      await em.flush();
      return { value: viewOf(service) };
    }).catch(rethrowTaken);
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

  /**
   * What a service used; for administrators and for itself.
   * @throws AppError `forbidden`, `service-not-found`
   */
  async usage(name: string, caller: Principal): Promise<ServiceUsageView> {
    if (!isAdmin(caller) && !(caller.kind === 'service' && caller.name === name)) throw new AppError('forbidden');
    const { plan } = await this.get(name);
    return this.recorded.read(name, plan);
  }

  /** A change that changes nothing leaves no trace; a deactivation ends the service's sessions. @throws AppError `service-not-found` */
  patch(name: string, { description, scopes, plan, status }: PatchService, by: Actor): Promise<ServiceView> {
    return this.#change(name, 'service-changed', by, async (em, revoke) => {
      const service = await find(em, name, 'to change it');
      const before = viewOf(service);
      if (description !== undefined) service.description = description;
      if (scopes !== undefined) service.scopes = scopes;
      if (plan !== undefined) service.plan = patchedParts(service.plan, plan);
      if (status !== undefined) service.status = status;
      const changes = changesBetween(before, viewOf(service));
      if (!changes) return { value: before, isUnchanged: true };
      await em.flush();
      if (service.status === before.status || service.status === 'active') {
        return { value: viewOf(service), details: changes };
      }
      const sessions = await this.sessionEnd.endOfClientWithin(em, revoke, name, 'service-deactivated');
      return { value: viewOf(service), details: { ...changes, sessions } };
    });
  }

  /**
   * A new secret. The old one works for another 24 h, or with `previous: 'revoke'` no more.
   * @throws AppError `service-not-found`, `rotation-conflict`: of two rotations at once one is done, since the second
   * would end a secret that the first has just answered
   */
  async rotateSecret(name: string, previous: 'keep' | 'revoke', by: Actor): Promise<NewSecret> {
    const secret = randomToken();
    const { secretHash: known } = await find(this.em.fork(), name);
    return this.#change(name, 'service-secret-rotated', by, async (em) => {
      const service = await find(em, name, 'to change it');
      if (service.secretHash !== known) throw new AppError('rotation-conflict');
      const isKept = previous === 'keep';
      service.previousHash = isKept ? service.secretHash : null;
      service.previousUntil = isKept ? await overlapEnd(em) : null;
      service.secretHash = digest(secret);
      const previousUntil = service.previousUntil?.toISOString() ?? null;
      return { value: { secret, previousUntil }, details: { previous: isKept ? 'kept' : 'revoked' } };
    });
  }

  /** The sessions that it has begun end with it. @throws AppError `service-not-found` */
  async remove(name: string, by: Actor): Promise<void> {
    await this.#change(name, 'service-deleted', by, async (em, revoke) => {
      em.remove(await find(em, name));
      // first the service, then its sessions: a login that is under way must find one or the other
      await em.flush();
      const sessions = await this.sessionEnd.endOfClientWithin(em, revoke, name, 'service-deleted');
      return { value: undefined, details: { sessions } };
    });
  }

  async #change<T>(
    name: string,
    event: AuditEvent['event'],
    by: Actor,
    work: (em: SqlEntityManager, revoke: Revoke) => Promise<Outcome<T>>,
  ): Promise<T> {
    const { value, isUnchanged } = await this.revocations.transactional(async (em, revoke) => {
      const outcome = await work(em, revoke);
      if (outcome.isUnchanged) return outcome;
      await this.audit.record({ event, details: { service: name, ...outcome.details } }, by, em);
      await this.registry.announce(em);
      return outcome;
    });
    if (!isUnchanged) await this.registry.reload();
    return value;
  }
}

type Outcome<T> = {
  readonly value: T;
  /** For the audit row, beside the name. */
  readonly details?: AuditEvent['details'];
  readonly isUnchanged?: true;
};

/** By the database's clock, which is the one that every replica judges by. */
async function overlapEnd(em: SqlEntityManager): Promise<Date> {
  const end = epochMs('(now() + make_interval(secs => ?))');
  const [row] = await em.execute<{ ms: number }[]>(`select ${end} as ms`, [overlapSeconds]);
  return new Date(row?.ms ?? Date.now());
}

/** Without the classes that nothing was said of. */
const tidy = (plan: PlanParts): PlanParts => patchedParts({}, plan);

/** Locked `to change it`: of two changes at once the second starts from what the first has left. */
async function find(em: SqlEntityManager, name: string, why?: 'to change it'): Promise<Service> {
  const service = await em.findOne(ServiceEntity, { name }, why ? { lockMode: LockMode.PESSIMISTIC_WRITE } : {});
  if (!service) throw new AppError('service-not-found');
  return service;
}

function viewOf(service: Service): ServiceView {
  const { name, description, scopes, plan, status, lastUsedAt, createdAt, updatedAt } = service;
  return {
    name,
    description: description ?? null,
    scopes: [...scopes],
    plan: planOf(plan),
    status,
    lastUsedAt: lastUsedAt?.toISOString() ?? null,
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  };
}
