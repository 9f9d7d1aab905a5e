import { Injectable } from '@nestjs/common';

import { type KnownService, type RequestSource, ServiceDirectory } from '#libs/platform/access';
import { audienceKey } from '#libs/platform/contract';
import { AppError } from '#libs/platform/errors';
import { AuditBursts } from '#libs/security/audit';

import { TokenAudiences } from '../tokens/token-audiences.js';
import { TokenIssuerService } from '../tokens/token-issuer.service.js';
import type { ServiceToken, ServiceTokenForm } from './oauth.schema.js';

/** Whom a token is for, and all that the service may do there. */
type Target = { readonly audience: string; readonly scopes: readonly string[] };

/** Tokens for services that stand for themselves (RFC 6749 §4.4, RFC 8707). */
@Injectable()
export class ClientCredentialsService {
  constructor(
    private readonly issuer: TokenIssuerService,
    private readonly services: ServiceDirectory,
    private readonly audit: AuditBursts,
    private readonly audiences: TokenAudiences,
  ) {}

  /**
   * A token for the service that calls. Scopes and generation come from one view of the service: a
   * token by a view that is old is ended by the change that the view has not heard of (ADR 26).
   * @throws AppError `unsupported-grant-type`, `invalid-scope`, `invalid-target`, `invalid-request`
   * for the name of another client, `invalid-service-key` when the service has just ended
   */
  async issue(form: ServiceTokenForm, source: RequestSource): Promise<ServiceToken> {
    if (form.grant_type !== 'client_credentials') throw new AppError('unsupported-grant-type');
    await this.issuer.prepare();
    const key = this.issuer.signingKey();
    const service = await this.#findCaller(form, source);
    const { name } = service.principal;
    const { audience, scopes: granted } = await this.#findTarget(service, form.resource);
    const scope = narrowed(granted, form.scope).join(' ');
    const { tokenGeneration: generation } = service;
    const { accessToken, expiresIn } = this.issuer.issueForService({ name, audience, scope, generation }, key);
    const event = { event: 'service-token-issued', details: { service: name, audience, scope } } as const;
    this.audit.note(event, `${name} ${audience}`, source);
    return { access_token: accessToken, token_type: 'Bearer', expires_in: expiresIn, scope };
  }

  async #findCaller({ client_id: named }: ServiceTokenForm, { caller }: RequestSource): Promise<KnownService> {
    const service = caller.kind === 'service' ? await this.services.find(caller.name) : undefined;
    if (!service) throw new AppError('invalid-service-key');
    if (named === undefined || named === service.principal.name) return service;
    throw new AppError('invalid-request', { detail: 'client_id names another client than the one that calls.' });
  }

  /** RFC 8707 §2: for a client, a resource without a grant is as little acceptable as none. */
  async #findTarget({ principal, grants }: KnownService, resource: string | undefined): Promise<Target> {
    const target = await this.audiences.lookUp(resource);
    if (target === this.audiences.own) return { audience: target.audience, scopes: principal.scopes };
    const key = target && audienceKey(target.audience);
    const grant = grants.find(({ audience }) => audienceKey(audience) === key);
    if (!target || !grant) throw new AppError('invalid-target');
    const { audience, permissions: known } = target;
    const scopes = grant.permissions.filter((permission) => known.length === 0 || known.includes(permission));
    return { audience, scopes };
  }
}

/**
 * What is asked for, or all that is granted when nothing is; each once, in the order of the grant.
 * @throws AppError `invalid-scope`
 */
function narrowed(granted: readonly string[], scope: string | undefined): readonly string[] {
  if (scope === undefined) return [...new Set(granted)];
  const asked = new Set(scope.split(' ').filter((name) => name !== ''));
  if (asked.size === 0 || [...asked].some((name) => !granted.includes(name))) throw new AppError('invalid-scope');
  return [...new Set(granted)].filter((name) => asked.has(name));
}
