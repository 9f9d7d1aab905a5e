import type { SqlEntityManager } from '@mikro-orm/sql';

import type { User } from './user.entity.js';

/** An address that has been taken from an account, and what is known of the language of its user. */
export type FormerAddress = {
  readonly user: Pick<User, 'id' | 'firstName' | 'profile'>;
  readonly email: string;
  readonly acceptLanguage: string | undefined;
};

/** What an address has proved, or may still prove. Whoever mails links answers; auth does. */
export abstract class AddressProofs {
  /** Ends all links and codes of users, since their address has changed. */
  abstract endAll(em: SqlEntityManager, userIds: readonly string[]): Promise<void>;
  /** Tells an address that it is the account's no more. */
  abstract tellFormer(em: SqlEntityManager, former: FormerAddress): Promise<void>;
}
