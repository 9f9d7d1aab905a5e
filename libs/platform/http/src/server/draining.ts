import { type BeforeApplicationShutdown, Injectable, type OnModuleInit } from '@nestjs/common';

import { ReadinessChecks } from '#libs/platform/monitoring';

/** Whether the process is on its way out: ready is red and connections are told to close. */
@Injectable()
export class Draining implements OnModuleInit, BeforeApplicationShutdown {
  #isDraining = false;

  constructor(private readonly checks: ReadinessChecks) {}

  onModuleInit(): void {
    this.checks.register('serving', () => !this.#isDraining);
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  /**
   * However the end came about: a connection that is kept alive would hold the server open until it
   * is idle too long.
   */
  beforeApplicationShutdown(): void {
    this.begin();
  }

  begin(): void {
    this.#isDraining = true;
  }
}
