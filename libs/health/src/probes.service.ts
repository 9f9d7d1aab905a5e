import { Injectable, type OnModuleInit, ServiceUnavailableException } from '@nestjs/common';
import {
  type HealthCheckResult,
  HealthCheckService,
  type HealthIndicatorResult,
  HealthIndicatorService,
} from '@nestjs/terminus';

import { type CheckState, MetricSources, ReadinessChecks } from '#libs/platform/monitoring';

/** Draining is no matter of starting. */
const notOfStart = new Set(['serving']);

/** What the probes answer. Fixed words: messages of errors are for the log, not for strangers. */
@Injectable()
export class Probes implements OnModuleInit {
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

  /** The answer itself is the check: a loop that does not turn gives none. */
  live(): Promise<HealthCheckResult> {
    return this.health.check([]);
  }

  async ready(): Promise<HealthCheckResult> {
    return this.#report(await this.checks.states());
  }

  /** Green for ever once everything was up: what fails later is for `ready`, and no reason to start again. */
  async startup(): Promise<HealthCheckResult> {
    if (this.#hasStarted) return this.live();
    const states = (await this.checks.states()).filter(({ name }) => !notOfStart.has(name));
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

/** Terminus throws what it has found when a part is down. */
const isResult = (value: unknown): value is HealthCheckResult =>
  typeof value === 'object' && value !== null && 'details' in value && 'status' in value;
