import { Inject, Injectable } from '@nestjs/common';

import { ServiceDirectory } from '#libs/platform/access';
import { type Config, CONFIG } from '#libs/platform/config';
import { audienceKey } from '#libs/platform/contract';
import { AppError } from '#libs/platform/errors';

/** Whom an access token is for. */
export type TokenAudience = {
  /** `aud`, as it was registered. */
  readonly audience: string;
  /** What it knows: the token carries no others. Empty when it takes any. */
  readonly permissions: readonly string[];
};

/** Who issues tokens, and for whom there are any: Gatehouse itself, and services. */
@Injectable()
export class TokenAudiences {
  readonly issuer: string;
  /** Gatehouse itself. */
  readonly own: TokenAudience;
  readonly #ownKey: string;

  constructor(
    private readonly services: ServiceDirectory,
    @Inject(CONFIG) { ISSUER, AUDIENCE }: Config,
  ) {
    this.issuer = ISSUER;
    this.own = { audience: AUDIENCE, permissions: [] };
    this.#ownKey = audienceKey(AUDIENCE);
  }

  /**
   * @param wanted in any spelling; Gatehouse itself when absent
   * @throws AppError `unknown-audience`; the error of the database while services must be read anew
   * and cannot be
   */
  async find(wanted: string | undefined): Promise<TokenAudience> {
    const found = await this.lookUp(wanted);
    if (!found) throw new AppError('unknown-audience');
    return found;
  }

  /** As `find`; nothing for an audience that nobody has, and `own` itself for ours. */
  async lookUp(wanted: string | undefined): Promise<TokenAudience | undefined> {
    if (wanted === undefined || audienceKey(wanted) === this.#ownKey) return this.own;
    const service = await this.services.findByAudience(wanted);
    const audience = service?.principal.audience;
    if (!service || audience === null || audience === undefined) return undefined;
    return { audience, permissions: service.permissions };
  }

  /** Whether this is an `aud` that tokens have now, as it is written. */
  async isIssued(aud: string | readonly string[]): Promise<boolean> {
    if (typeof aud !== 'string') return false;
    return aud === this.own.audience || (await this.services.findByAudience(aud))?.principal.audience === aud;
  }

  /** An audience and, where it is that of an active service, its name: for people to read. */
  async describe(audience: string): Promise<string> {
    const service = await this.services.findByAudience(audience);
    return service ? `${audience} (the service ${service.principal.name})` : audience;
  }
}
