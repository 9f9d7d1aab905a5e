import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable, type OnModuleInit } from '@nestjs/common';

import {
  type KnownService,
  ServiceDirectory,
  type ServiceKey,
  type ServicePrincipal,
  ServiceVerifier,
} from '#libs/platform/access';
import { audienceKey } from '#libs/platform/contract';
import { digest, isSame } from '#libs/platform/crypto';
import { ReplicaNotifications, type ChangeView, DatabaseClock, SharedRead, Sweeper } from '#libs/platform/database';
import { AppError } from '#libs/platform/errors';

import { defaultPlan, planOf } from './rate-plan.schema.js';
import { type Service, ServicesRepository } from './services.repository.js';

type Known = KnownService & {
  readonly secretHash: string;
  readonly previous: { readonly hash: string; readonly untilMs: number } | undefined;
};

/** Under which replicas hear that a service has changed. */
const servicesTopic = 'services';
/** Checked when nobody has the name, so that the answer takes as much work. */
const nobody: Known = {
  principal: { kind: 'service', name: '', scopes: [], plan: defaultPlan, audience: null },
  permissions: [],
  grants: [],
  tokenGeneration: 0,
  secretHash: digest(''),
  previous: undefined,
};

/** The active services, in memory on every replica: to verify a key takes one hash and no query. */
@Injectable()
export class ServiceRegistry extends ServiceVerifier implements ServiceDirectory, OnModuleInit {
  #services: ReadonlyMap<string, Known> = new Map();
  #byAudience: ReadonlyMap<string, Known> = new Map();
  readonly #used = new Set<string>();
  /** As what a key has proved its service; only by the current secret, which no time ends. */
  readonly #proved = new WeakMap<ServiceKey, Known>();
  #view: ChangeView | undefined;
  readonly #reads = new SharedRead(() => this.#read());

  constructor(
    private readonly services: ServicesRepository,
    private readonly notifications: ReplicaNotifications,
    private readonly sweeper: Sweeper,
    private readonly clock: DatabaseClock,
  ) {
    super();
  }

  onModuleInit(): void {
    this.#view = this.notifications.subscribe(servicesTopic, { catchUp: () => this.reload() });
    this.sweeper.register('services last used', () => this.#writeUsed());
  }

  override verify(key: ServiceKey): ServicePrincipal | Promise<ServicePrincipal> {
    return this.#fresh(() => this.#check(key));
  }

  find(name: string): KnownService | undefined | Promise<KnownService | undefined> {
    return this.#fresh(() => this.#services.get(name));
  }

  findByAudience(audience: string): KnownService | undefined | Promise<KnownService | undefined> {
    return this.#fresh(() => this.#byAudience.get(audienceKey(audience)));
  }

  /** A change must hold at once, also when the notifications are lost or could not be read. */
  #fresh<T>(read: () => T): T | Promise<T> {
    return this.#view?.isFresh === true ? read() : this.reload().then(read);
  }

  /** Tells every replica with the commit that a service has changed. */
  async announce(em: SqlEntityManager): Promise<void> {
    await this.notifications.publish(em, servicesTopic, 'changed');
  }

  /** Reads what is committed by now. */
  reload(): Promise<void> {
    return this.#reads.run();
  }

  async #read(): Promise<void> {
    const known = (await this.services.listActive()).map(knownOf);
    this.#services = new Map(known.map((service) => [service.principal.name, service]));
    this.#byAudience = new Map(
      known.flatMap((service) => {
        const { audience } = service.principal;
        return audience === null ? [] : [[audienceKey(audience), service]];
      }),
    );
  }

  #check(key: ServiceKey): ServicePrincipal {
    const { name, secret } = key;
    const known = this.#services.get(name) ?? nobody;
    // whatever changes, all services are read anew
    if (this.#proved.get(key) === known) return known.principal;
    const given = digest(secret);
    const isCurrent = isSame(given, known.secretHash);
    const isPrevious =
      isSame(given, known.previous?.hash ?? nobody.secretHash) && this.clock.nowMs() < (known.previous?.untilMs ?? 0);
    if (known === nobody || !(isCurrent || isPrevious)) throw new AppError('invalid-service-key');
    this.#used.add(name);
    if (isCurrent) this.#proved.set(key, known);
    return known.principal;
  }

  /** To the minute is enough to find services that nobody uses any more. */
  async #writeUsed(): Promise<number> {
    const names = [...this.#used];
    this.#used.clear();
    if (names.length > 0) await this.services.writeLastUsed(names);
    return 0;
  }
}

function knownOf(service: Service): Known {
  const { name, scopes, plan, secretHash, previousHash, previousUntil } = service;
  return {
    principal: { kind: 'service', name, scopes, plan: planOf(plan), audience: service.audience ?? null },
    permissions: service.permissions,
    grants: service.grants,
    tokenGeneration: service.tokenGeneration,
    secretHash,
    previous: previousHash && previousUntil ? { hash: previousHash, untilMs: previousUntil.getTime() } : undefined,
  };
}
