import { Injectable } from '@nestjs/common';

/** Whether the process is on its way out: ready is red and connections are told to close. */
@Injectable()
export class Draining {
  #isDraining = false;

  get isDraining(): boolean {
    return this.#isDraining;
  }

  begin(): void {
    this.#isDraining = true;
  }
}
