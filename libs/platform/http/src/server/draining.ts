import { type BeforeApplicationShutdown, Injectable, type OnModuleInit } from '@nestjs/common';

import { ReadinessChecks } from '#libs/platform/monitoring';

/** Whether the process is on its way out: ready is red and connections are told to close. */
@Injectable()
export class Draining implements OnModuleInit, BeforeApplicationShutdown {
  #isDraining = false;
  readonly #listeners: (() => void)[] = [];

  constructor(private readonly checks: ReadinessChecks) {}

  onModuleInit(): void {
    this.checks.register('serving', () => !this.#isDraining);
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** For what would go on for as long as the client likes. */
  onBegin(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /**
   * However the end came about: a connection that is kept alive would hold the server open until it
   * is idle too long.
   */
  beforeApplicationShutdown(): void {
    this.begin();
  }

  begin(): void {
    if (this.#isDraining) return;
    this.#isDraining = true;
    for (const tell of this.#listeners) tell();
  }
}
