import type { IncomingHttpHeaders } from 'node:http';

import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

import { parseServiceKey, type Scope, type ServicePrincipal, ServiceVerifier } from '#libs/platform/access';
import { AppError } from '#libs/platform/errors';

type Form = { readonly client_id?: string | undefined; readonly client_secret?: string | undefined };
type Given = { readonly name: string; readonly secret: string };

/** Ways in which a service may prove who it is on the OAuth endpoints. One request uses one (RFC 6749 §2.3). */
@Injectable()
export class ClientCredentials {
  constructor(private readonly services: ServiceVerifier) {}

  /**
   * The service that calls, by `X-Service-Key`, HTTP Basic or the form.
   * @throws AppError `invalid-service-key`, `forbidden` without the scope, `invalid-request` for more than one way
   */
  async authenticate(request: FastifyRequest, form: Form, scope: Scope): Promise<ServicePrincipal> {
    const { 'x-service-name': named, ...headers } = request.headers;
    const ways = [parseServiceKey(headers), fromBasic(headers), fromForm(form)].filter((way) => way !== undefined);
    const [given] = ways;
    if (!given || (named !== undefined && named !== given.name)) throw new AppError('invalid-service-key');
    if (ways.length > 1) throw new AppError('invalid-request', { detail: 'Authenticate in one way, not in several.' });
    const service = await this.services.verify(given.name, given.secret);
    // for the log: to the guard these routes are public
    request.principal = service;
    if (!service.scopes.includes(scope)) throw new AppError('forbidden', { detail: `The scope ${scope} is needed.` });
    return service;
  }
}

/** `client_secret_basic`: both halves are form-encoded before they are joined (RFC 6749 §2.3.1). */
function fromBasic({ authorization }: IncomingHttpHeaders): Given | undefined {
  if (authorization === undefined) return undefined;
  const encoded = /^basic +([A-Za-z0-9+/=_-]+) *$/i.exec(authorization)?.[1];
  if (encoded === undefined) throw new AppError('invalid-service-key');
  const [, name, secret] = /^([^:]*):(.*)$/s.exec(Buffer.from(encoded, 'base64').toString('utf8')) ?? [];
  if (name === undefined || secret === undefined) throw new AppError('invalid-service-key');
  return { name: formDecoded(name), secret: formDecoded(secret) };
}

/** `client_secret_post`. */
function fromForm({ client_id: name, client_secret: secret }: Form): Given | undefined {
  return secret === undefined ? undefined : { name: name ?? '', secret };
}

function formDecoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch (cause) {
    throw new AppError('invalid-service-key', { cause });
  }
}
