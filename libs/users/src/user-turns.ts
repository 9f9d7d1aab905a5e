import { Injectable } from '@nestjs/common';

import { Turns } from '#libs/platform/queues';

const patienceMs = 2_500;

/**
 * What locks the row of a user, or something that belongs to one, comes one after the other: while somebody holds the
 * lock, that user waits, and a single connection with it.
 */
@Injectable()
export class UserTurns extends Turns {
  constructor() {
    super(patienceMs);
  }
}
