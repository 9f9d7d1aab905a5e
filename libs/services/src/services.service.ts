import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';

import { type Actor, type AuditEvent, AuditTrail } from '#libs/security/audit';
import { SessionEndService } from '#libs/auth';
import { type Grant, isAdmin, type Principal } from '#libs/platform/access';
import { digest, randomToken } from '#libs/platform/crypto';
import { rethrowViolation } from '#libs/platform/database';
import { AppError } from '#libs/platform/errors';
import { type Revocation, RevocationsService, type Revoke } from '#libs/security/revocation';

import { patchedParts, type PlanParts, planOf } from './rate-plan.schema.js';
import { ServiceEntity } from './service.entity.js';
import { ServiceRegistry } from './service-registry.js';
import { ServiceUsageService } from './service-usage.service.js';
import { databaseTimeIn, type Service, ServicesRepository } from './services.repository.js';
import { endOfTokens, tokenGroundOf } from './token-end.js';
import type {
  CreatedService,
  CreateService,
  NewSecret,
  PatchService,
  ServiceList,
  ServiceUsageView,
  ServiceView,
} from './services.schema.js';

/** Long enough to give the new secret to every instance of a service. */
const overlapSeconds = 24 * 3_600;

const rethrowTaken = rethrowViolation({
  services_name_unique: (cause) => new AppError('service-name-taken', { cause }),
  services_audience_key_unique: (cause) => new AppError('audience-taken', { cause }),
});

/** Keeps the calling microservices; every change acts on every replica at once. */
@Injectable()
export class ServicesService {
  constructor(
    private readonly services: ServicesRepository,
    private readonly registry: ServiceRegistry,
    private readonly audit: AuditTrail,
    private readonly serviceUsage: ServiceUsageService,
    private readonly revocations: RevocationsService,
    private readonly sessionEnd: SessionEndService,
  ) {}

  /** @throws AppError `service-name-taken`, `audience-taken`, `unknown-audience` */
  async create(input: CreateService, by: Actor): Promise<CreatedService> {
    const secret = randomToken();
    const { name, description = null, scopes, plan = {}, permissions = [] } = input;
    const view = await this.#change(name, 'service-created', by, async (em) => {
      const secretHash = digest(secret);
      const audience = this.services.audienceColumns(input.audience ?? null);
      const stored = { name, description, scopes, plan: tidy(plan), permissions, ...audience, secretHash };
      const service = em.create(ServiceEntity, stored);
      await em.flush();
      // only now: a removal of the same name that was under way has ended
      service.tokenGeneration = await this.revocations.latestGeneration(em, 'service', name);
      await this.#setGrants(service, input.grants, em);
      return { value: viewOf(service) };
    }).catch(rethrowTaken);
    return { ...view, secret };
  }

  /** By name, at most 1,000. */
  async list(): Promise<ServiceList> {
    return { items: (await this.services.list()).map(viewOf) };
  }

  /** @throws AppError `service-not-found` */
  async get(name: string): Promise<ServiceView> {
    return viewOf(await this.services.find(name));
  }

  /**
   * What a service used; for administrators and for itself.
   * @throws AppError `forbidden`, `service-not-found`
   */
  async usage(name: string, caller: Principal): Promise<ServiceUsageView> {
    if (!isAdmin(caller) && !(caller.kind === 'service' && caller.name === name)) throw new AppError('forbidden');
    const { plan } = await this.get(name);
    return this.serviceUsage.read(name, plan);
  }

  /**
   * A change that changes nothing leaves no trace. A deactivated service loses its sessions and its
   * tokens, one that may do less its tokens.
   * @throws AppError `service-not-found`, `audience-taken`, `unknown-audience`
   */
  patch(name: string, { description, scopes, plan, status, ...more }: PatchService, by: Actor): Promise<ServiceView> {
    return this.#change(name, 'service-changed', by, async (em, revoke) => {
      const service = await this.services.findForUpdate(name, em);
      const before = viewOf(service);
      const ground = tokenGroundOf(service);
      if (description !== undefined) service.description = description;
      if (scopes !== undefined) service.scopes = scopes;
      if (plan !== undefined) service.plan = patchedParts(service.plan, plan);
      if (status !== undefined) service.status = status;
      if (more.audience !== undefined) Object.assign(service, this.services.audienceColumns(more.audience));
      if (more.permissions !== undefined) service.permissions = more.permissions;
      await em.flush();
      await this.#setGrants(service, more.grants, em);
      const changes = changesBetween(before, viewOf(service));
      if (!changes) return { value: before, isUnchanged: true };
      const cause = endOfTokens(ground, service);
      if (cause) await endTokens(service, cause, revoke);
      await em.flush();
      if (service.status === before.status || service.status === 'active') {
        return { value: viewOf(service), details: changes };
      }
      const sessions = await this.sessionEnd.endOfClientWithin(em, revoke, name, 'service-deactivated');
      return { value: viewOf(service), details: { ...changes, sessions } };
    }).catch(rethrowTaken);
  }

  /**
   * Makes a new secret. The old one works for another 24 h, or with `previous: 'revoke'` no longer,
   * nor do the tokens that it may have got.
   * @throws AppError `service-not-found`; `rotation-conflict` for the second of two rotations at
   * once, which would end the secret that the first has just answered
   */
  async rotateSecret(name: string, previous: 'keep' | 'revoke', by: Actor): Promise<NewSecret> {
    const secret = randomToken();
    const { secretHash: known } = await this.services.find(name);
    return this.#change(name, 'service-secret-rotated', by, async (em, revoke) => {
      const service = await this.services.findForUpdate(name, em);
      if (service.secretHash !== known) throw new AppError('rotation-conflict');
      const isKept = previous === 'keep';
      if (!isKept) await endTokens(service, 'service-secret-revoked', revoke);
      service.previousHash = isKept ? service.secretHash : null;
      service.previousUntil = isKept ? await databaseTimeIn(overlapSeconds, em) : null;
      service.secretHash = digest(secret);
      const previousUntil = service.previousUntil?.toISOString() ?? null;
      return { value: { secret, previousUntil }, details: { previous: isKept ? 'kept' : 'revoked' } };
    });
  }

  /** Ends its sessions and its tokens, too. @throws AppError `service-not-found` */
  async remove(name: string, by: Actor): Promise<void> {
    await this.#change(name, 'service-deleted', by, async (em, revoke) => {
      const service = await this.services.findForUpdate(name, em);
      await endTokens(service, 'service-deleted', revoke);
      em.remove(service);
      // the service goes first: else a login under way could begin a session that nothing ends
      await em.flush();
      const sessions = await this.sessionEnd.endOfClientWithin(em, revoke, name, 'service-deleted');
      return { value: undefined, details: { sessions } };
    });
  }

  /** After the audience was written: a service may be granted something at its own. */
  async #setGrants(service: Service, grants: readonly Grant[] | undefined, em: SqlEntityManager): Promise<void> {
    if (grants === undefined) return;
    service.grants = await this.services.toRegistered(grants, em);
    await em.flush();
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

/** Ends every token that the service has; those it gets from now on are of the next generation. */
async function endTokens(service: Service, cause: Revocation['cause'], revoke: Revoke): Promise<void> {
  service.tokenGeneration += 1;
  await revoke({ kind: 'service', subject: service.name, generation: service.tokenGeneration, cause });
}

type Outcome<T> = {
  readonly value: T;
  /** For the audit row, beside the name. */
  readonly details?: AuditEvent['details'];
  readonly isUnchanged?: true;
};

/** Leaves out the classes that the plan says nothing of. */
const tidy = (plan: PlanParts): PlanParts => patchedParts({}, plan);

const fields = ['description', 'scopes', 'plan', 'audience', 'permissions', 'grants', 'status'] as const;
/** Their content tells an auditor something; a description may hold anything. */
const shown = ['scopes', 'plan', 'audience', 'permissions', 'grants', 'status'] as const;

/** Names of changed fields, and the old and new value of those that grant something. */
function changesBetween(before: ServiceView, after: ServiceView): AuditEvent['details'] | undefined {
  const isChanged = (name: (typeof fields)[number]): boolean =>
    JSON.stringify(before[name]) !== JSON.stringify(after[name]);
  const changed = fields.filter(isChanged);
  if (changed.length === 0) return undefined;
  const named = shown.filter(isChanged);
  const pick = (view: ServiceView) => Object.fromEntries(named.map((name) => [name, view[name]]));
  return { changed, ...(named.length > 0 && { from: pick(before), to: pick(after) }) };
}

function viewOf(service: Service): ServiceView {
  const { name, description, scopes, plan, status, lastUsedAt, createdAt, updatedAt } = service;
  return {
    name,
    description: description ?? null,
    scopes: [...scopes],
    plan: planOf(plan),
    audience: service.audience ?? null,
    permissions: [...service.permissions],
    grants: service.grants.map(({ audience, permissions }) => ({ audience, permissions: [...permissions] })),
    status,
    lastUsedAt: lastUsedAt?.toISOString() ?? null,
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  };
}
