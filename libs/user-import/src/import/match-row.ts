import type { BulkUser, ExistingUser } from '#libs/users';

/** Users by what an import may collide with. */
export class Holders {
  readonly #byExternalId: ReadonlyMap<string | null, ExistingUser>;
  readonly #byName: ReadonlyMap<string, ExistingUser>;
  readonly #byEmail: ReadonlyMap<string | null, ExistingUser>;
  readonly #emailKeys: ReadonlyMap<string, string | null>;

  constructor(holders: readonly ExistingUser[]) {
    this.#byExternalId = new Map(holders.map((holder) => [holder.external_id, holder]));
    this.#byName = new Map(holders.map((holder) => [holder.user_name_key, holder]));
    this.#byEmail = new Map(holders.map((holder) => [holder.email_key, holder]));
    this.#emailKeys = new Map(holders.map(({ id, email_key }) => [id, email_key]));
  }

  /** Whom a row means: by its external id, else by its user name; or what it may not have because somebody else does. */
  match(user: BulkUser): ExistingUser | 'user-name-taken' | 'email-taken' | undefined {
    const known = user.externalId === null ? undefined : this.#byExternalId.get(user.externalId);
    const holder = known ?? this.#byName.get(user.userNameKey);
    if (holder) return isSomebodyElse(user, holder) ? 'user-name-taken' : holder;
    return this.emailHolder(user.emailKey) ? 'email-taken' : undefined;
  }

  emailKeyOf(userId: string): string | null {
    return this.#emailKeys.get(userId) ?? null;
  }

  emailHolder(emailKey: string | null): ExistingUser | undefined {
    return emailKey === null ? undefined : this.#byEmail.get(emailKey);
  }
}

/** One name, two external ids: two people. */
const isSomebodyElse = (user: BulkUser, { external_id }: ExistingUser): boolean =>
  user.externalId !== null && external_id !== null && user.externalId !== external_id;
