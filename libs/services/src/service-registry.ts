import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable, type OnModuleInit } from '@nestjs/common';

import { type Scope, type ServicePrincipal, ServiceVerifier } from '#libs/platform/access';
import { digest, isSame } from '#libs/platform/crypto';
import { ReplicaNotifications, type ChangeView, DatabaseClock, SharedRead, Sweeper } from '#libs/platform/database';
import { AppError } from '#libs/platform/errors';

import { defaultPlan, planOf } from './rate-plan.schema.js';
import { ServicesRepository } from './services.repository.js';

type Known = {
  readonly principal: ServicePrincipal;
  readonly secretHash: string;
  readonly previous: { readonly hash: string; readonly untilMs: number } | undefined;
};

/** Under which replicas hear that a service has changed. */
const servicesTopic = 'services';
/** Checked when nobody has the name, so that the answer takes as much work. */
const nobody: Known = {
  principal: { kind: 'service', name: '', scopes: [], plan: defaultPlan },
  secretHash: digest(''),
  previous: undefined,
};

/** The active services, in memory on every replica: to verify a key takes one hash and no query. */
@Injectable()
export class ServiceRegistry extends ServiceVerifier implements OnModuleInit {
  #services: ReadonlyMap<string, Known> = new Map();
  readonly #used = new Set<string>();
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

  override verify(name: string, secret: string): ServicePrincipal | Promise<ServicePrincipal> {
    // a change must hold at once, also when the notifications are lost or could not be read
    if (this.#view?.isFresh !== true) return this.reload().then(() => this.#check(name, secret));
    return this.#check(name, secret);
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
    const rows = await this.services.listActive();
    this.#services = new Map(
      rows.map(({ name, scopes, plan, secretHash, previousHash, previousUntil }) => [
        name,
        {
          principal: { kind: 'service', name, scopes: scopes satisfies readonly Scope[], plan: planOf(plan) },
          secretHash,
          previous:
            previousHash && previousUntil ? { hash: previousHash, untilMs: previousUntil.getTime() } : undefined,
        },
      ]),
    );
  }

  #check(name: string, secret: string): ServicePrincipal {
    const known = this.#services.get(name) ?? nobody;
    const given = digest(secret);
    const isCurrent = isSame(given, known.secretHash);
    const isPrevious =
      isSame(given, known.previous?.hash ?? nobody.secretHash) && this.clock.nowMs() < (known.previous?.untilMs ?? 0);
    if (known === nobody || !(isCurrent || isPrevious)) throw new AppError('invalid-service-key');
    this.#used.add(name);
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
