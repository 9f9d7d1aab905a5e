import { isObject, type RequestBounds, requestJson } from '../bounded-request.js';
import type { Settings } from '../options.js';

/**
 * Where the keys of the issuer are: Gatehouse has them at one place; others say it in their
 * metadata (OpenID Connect Discovery §4, RFC 8414 §3).
 * @throws Error when no metadata can be had, or they are another issuer's
 */
export async function findJwkSetUrl(settings: Settings, bounds: RequestBounds): Promise<string> {
  const { jwksUrl, isGatehouse, url } = settings;
  if (jwksUrl !== undefined) return jwksUrl;
  if (isGatehouse) return `${url}/.well-known/jwks.json`;
  const failures: unknown[] = [];
  for (const address of metadataAddresses(url)) {
    try {
      return await readMetadata(address, settings, bounds);
    } catch (error) {
      failures.push(error);
    }
  }
  throw new AggregateError(failures, `No metadata of ${settings.issuer} could be had.`);
}

/** RFC 8414 §3.1 puts the path of the issuer behind the well-known one, OpenID Connect before. */
function metadataAddresses(url: string): readonly string[] {
  const { origin, pathname } = new URL(url);
  const path = pathname.replace(/\/+$/, '');
  return [`${url}/.well-known/openid-configuration`, `${origin}/.well-known/oauth-authorization-server${path}`];
}

async function readMetadata(address: string, { issuer, url }: Settings, bounds: RequestBounds): Promise<string> {
  const { status, body } = await requestJson(address, { headers: { accept: 'application/json' } }, bounds);
  if (status !== 200 || !isObject(body)) throw new Error(`${address} answered ${status}.`);
  if (body['issuer'] !== issuer) throw new Error(`${address} has the metadata of another issuer.`);
  const { jwks_uri: keys } = body;
  if (typeof keys !== 'string' || !URL.canParse(keys)) throw new Error(`${address} has no jwks_uri.`);
  // what the issuer says under its own name is reached where the issuer is
  const base = issuer.replace(/\/+$/, '');
  const found = keys.startsWith(`${base}/`) ? url + keys.slice(base.length) : keys;
  if (url.startsWith('https:') && !found.startsWith('https:')) {
    throw new Error(`${address} has a jwks_uri without TLS.`);
  }
  return found;
}
