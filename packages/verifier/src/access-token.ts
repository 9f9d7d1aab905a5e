import { compactVerify, errors } from 'jose';

import { type Claims, parseMembers, readClaims } from './claims.js';
import type { Algorithm } from './keys/algorithms.js';
import type { PublicKey } from './keys/jwk-set.js';
import type { Settings } from './options.js';
import { type TokenFact, tokenFacts } from './revocations/index.js';
import { VerifyError } from './verify-error.js';

/**
 * In characters. Gatehouse's longest have 12,288; Node takes 16,384 bytes of headers. A longer text
 * is refused before it is decoded.
 */
const longestToken = 16_384;
/** Three parts of base64url (RFC 7515 §3.1), without padding. */
const compactForm = /^([\w-]+)\.[\w-]+\.[\w-]+$/;
/** Types of an access token of issuers that do not follow RFC 9068, where any is given. */
const foreignTypes: ReadonlySet<unknown> = new Set([undefined, 'at+jwt', 'jwt']);

/** A token whose signature, form, issuer and audience are right: none of that changes any more. */
export type ParsedToken = {
  readonly claims: Claims;
  readonly key: PublicKey;
  /** What can end it; nothing where revocations are not known. */
  readonly facts: readonly TokenFact[];
  readonly permissions: ReadonlySet<string>;
};

type Header = { readonly alg: Algorithm; readonly kid: string | undefined };

type FindKey = (header: Header) => Promise<PublicKey>;

/**
 * Reads a token as far as its answer can be remembered. Members of the header that offer a key
 * (`jwk`, `jku`, `x5c`, `x5u`) are not looked at.
 * @throws VerifyError `malformed`, `bad-signature`, `wrong-issuer`, `wrong-audience`, and what
 * `findKey` throws
 */
export async function readToken(token: string, settings: Settings, findKey: FindKey): Promise<ParsedToken> {
  const header = readHeader(token, settings);
  const key = await findKey(header);
  const payload = await checkSignature(token, { key, alg: header.alg }, settings);
  const claims = readClaims(payload, settings.isGatehouse ? 'gatehouse' : 'any');
  if (typeof claims === 'string') throw malformed(settings, claims);
  checkParties(claims, settings);
  return { claims, key, facts: factsOf(claims, key, settings), permissions: permissionsOf(claims, settings) };
}

/** @throws VerifyError `malformed` for what is no text, and for one that is too long to look at */
export function checkText(token: unknown, settings: Settings): void {
  if (typeof token !== 'string') throw malformed(settings, 'it is not a text');
  if (token.length > longestToken) throw malformed(settings, `it is longer than ${longestToken} characters`);
}

function readHeader(token: string, settings: Settings): Header {
  const [, head] = compactForm.exec(token) ?? [];
  const header = head === undefined ? undefined : parseMembers(Buffer.from(head, 'base64url'));
  if (!header) throw malformed(settings, 'it is not a JWS in the compact form');
  // an extension that must be understood (RFC 7515 §4.1.11): we know none
  if ('crit' in header || 'b64' in header) throw malformed(settings, 'its header asks for an extension');
  const { alg, typ, kid } = header;
  const algorithm = settings.algorithms.find((name) => name === alg);
  if (algorithm === undefined) throw malformed(settings, 'its algorithm is not one to accept');
  if (!isAccessTokenType(typ, settings)) throw malformed(settings, 'its typ is not that of an access token');
  if (typeof kid === 'string' && kid !== '') return { alg: algorithm, kid };
  if (kid !== undefined || settings.isGatehouse) throw malformed(settings, 'its kid is not a text');
  return { alg: algorithm, kid: undefined };
}

/** RFC 9068 §4 for Gatehouse; media types are compared without case elsewhere (RFC 7515 §4.1.9). */
function isAccessTokenType(typ: unknown, { isGatehouse }: Settings): boolean {
  if (isGatehouse) return typ === 'at+jwt';
  return foreignTypes.has(typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : typ);
}

async function checkSignature(
  token: string,
  { key, alg }: { readonly key: PublicKey; readonly alg: Algorithm },
  settings: Settings,
): Promise<Uint8Array> {
  try {
    return (await compactVerify(token, await key.importFor(alg), { algorithms: [alg] })).payload;
  } catch (cause) {
    const { resourceMetadataUrl } = settings;
    const isWrong = cause instanceof errors.JWSSignatureVerificationFailed;
    throw new VerifyError(isWrong ? 'bad-signature' : 'malformed', { cause, resourceMetadataUrl });
  }
}

/** Gatehouse's tokens are for one audience; others' may name several (RFC 7519 §4.1.3). */
function checkParties({ iss, aud }: Claims, settings: Settings): void {
  const { issuer, audience, isGatehouse, resourceMetadataUrl } = settings;
  if (iss !== issuer) {
    throw new VerifyError('wrong-issuer', { detail: `iss is ${iss}, not ${issuer}.`, resourceMetadataUrl });
  }
  const isOurs = typeof aud === 'string' ? aud === audience : !isGatehouse && aud.includes(audience);
  if (isOurs) return;
  throw new VerifyError('wrong-audience', { detail: `aud is ${String(aud)}, not ${audience}.`, resourceMetadataUrl });
}

function factsOf(claims: Claims, { kid }: PublicKey, { isGatehouse }: Settings): readonly TokenFact[] {
  const { jti, client_id } = claims;
  if (!isGatehouse || jti === undefined || client_id === undefined || kid === undefined) return [];
  return tokenFacts({ ...claims, jti, client_id }, kid);
}

/** Of Gatehouse's tokens, those of people have `permissions`, those of services `scope`. */
function permissionsOf({ permissions = [], scope = '', sid }: Claims, { isGatehouse }: Settings): ReadonlySet<string> {
  const scopes = scope.split(' ').filter((name) => name !== '');
  if (!isGatehouse) return new Set([...permissions, ...scopes]);
  return new Set(sid === undefined ? scopes : permissions);
}

const malformed = ({ resourceMetadataUrl }: Settings, detail: string): VerifyError =>
  new VerifyError('malformed', { detail: `Reason: ${detail}.`, resourceMetadataUrl });
