import { Injectable, type OnModuleInit, ServiceUnavailableException } from '@nestjs/common';
import {
  type HealthCheckResult,
  HealthCheckService,
  type HealthIndicatorResult,
  HealthIndicatorService,
} from '@nestjs/terminus';

import { type CheckState, MetricSources, ReadinessChecks } from '#libs/platform/monitoring';

/** The check that is down while the service drains, which has nothing to do with its start. */
const drainingCheck = 'serving';

/** What the probes answer: fixed words, because messages of errors are for the log alone. */
@Injectable()
export class ProbesService implements OnModuleInit {
  #hasStarted = false;

  constructor(
    private readonly health: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly checks: ReadinessChecks,
    private readonly metrics: MetricSources,
  ) {}

  onModuleInit(): void {
    this.metrics.register({
      name: 'ready_check_up',
      help: 'Whether a readiness check is up (1) or down (0)',
      kind: 'gauge',
      labelNames: ['check'],
      read: async () =>
        (await this.checks.states()).map(({ name, isUp }) => ({ labels: { check: name }, value: isUp ? 1 : 0 })),
    });
  }

  /** The answer itself is the check: an event loop that hangs gives none. */
  live(): Promise<HealthCheckResult> {
    return this.health.check([]);
  }

  async ready(): Promise<HealthCheckResult> {
    return this.#report(await this.checks.states());
  }

  /** Stays green once everything was up: what fails later is for `ready` to say. */
  async startup(): Promise<HealthCheckResult> {
    if (this.#hasStarted) return this.live();
    const states = (await this.checks.states()).filter(({ name }) => name !== drainingCheck);
    this.#hasStarted = states.every(({ isUp }) => isUp);
    return this.#report(states);
  }

  async #report(states: readonly CheckState[]): Promise<HealthCheckResult> {
    try {
      return await this.health.check(states.map((state) => () => this.#indicate(state)));
    } catch (error) {
      const found: unknown = error instanceof ServiceUnavailableException ? error.getResponse() : undefined;
      if (isResult(found)) return found;
      throw error;
    }
  }

  #indicate({ name, isUp, ageMs }: CheckState): HealthIndicatorResult {
    const check = this.indicators.check(name);
    return isUp ? check.up({ checkedAgoMs: ageMs }) : check.down({ checkedAgoMs: ageMs });
  }
}

/** When a part is down, Terminus throws its result. */
const isResult = (value: unknown): value is HealthCheckResult =>
  typeof value === 'object' && value !== null && 'details' in value && 'status' in value;
