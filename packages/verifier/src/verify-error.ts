import { challenge } from './bearer.js';

type Refusal = {
  readonly status: 401 | 403 | 503;
  /** `error` of the challenge (RFC 6750 §3.1, RFC 9470 §3); none where nothing is wrong. */
  readonly oauthError?: 'invalid_token' | 'insufficient_scope' | 'insufficient_user_authentication';
  /** For the client; it reveals nothing that the client does not know. ASCII (RFC 6750 §3). */
  readonly description: string;
};

const invalid = (description: string): Refusal => ({ status: 401, oauthError: 'invalid_token', description });
const unavailable = (description: string): Refusal => ({ status: 503, description });

/** Why a token is refused. Nothing else is thrown for a token, whatever its bytes are. */
const refusals = {
  'missing-token': { status: 401, description: 'The request has no access token.' },
  malformed: invalid('The access token is malformed.'),
  'unknown-key': invalid('The access token is signed with a key that is not trusted.'),
  'bad-signature': invalid('The signature of the access token is wrong.'),
  'wrong-issuer': invalid('The access token is from another issuer.'),
  'wrong-audience': invalid('The access token is for another service.'),
  'not-yet-valid': invalid('The access token is not valid yet.'),
  expired: invalid('The access token has expired.'),
  revoked: invalid('The access token was revoked.'),
  'missing-permission': {
    status: 403,
    oauthError: 'insufficient_scope',
    description: 'The access token lacks a permission that is needed here.',
  },
  'authentication-too-old': {
    status: 401,
    oauthError: 'insufficient_user_authentication',
    description: 'A more recent authentication is needed here.',
  },
  stale: unavailable('It cannot be told now whether the access token was revoked.'),
  'keys-unavailable': unavailable('The keys of the issuer cannot be had now.'),
  closed: unavailable('The service is about to stop.'),
} as const satisfies Readonly<Record<string, Refusal>>;

export type VerifyErrorCode = keyof typeof refusals;

/** Status, OAuth error and description of each code. */
export const verifyErrorCodes: Readonly<Record<VerifyErrorCode, Refusal>> = refusals;

type Circumstances = {
  /** For the log of the service, not for the client. */
  readonly detail?: string | undefined;
  readonly cause?: unknown;
  /** What `missing-permission` lacks. */
  readonly permissions?: readonly string[] | undefined;
  readonly maxAuthAgeSeconds?: number | undefined;
  /** Where the metadata of the protected resource is (RFC 9728 §5.1). */
  readonly resourceMetadataUrl?: string | undefined;
};

/** A token that is not good now. `message` is for the log, `description` for the client. */
export class VerifyError extends Error {
  override readonly name = 'VerifyError';
  readonly status: Refusal['status'];
  readonly description: string;
  /** Value of the header `WWW-Authenticate`; none with 503, which asks nothing of the client. */
  readonly wwwAuthenticate: string | undefined;

  constructor(
    readonly code: VerifyErrorCode,
    { detail, cause, permissions, maxAuthAgeSeconds, resourceMetadataUrl }: Circumstances = {},
  ) {
    const { status, description, oauthError } = verifyErrorCodes[code];
    super(detail === undefined ? description : `${description} ${detail}`, { cause });
    this.status = status;
    this.description = description;
    if (status === 503) return;
    this.wwwAuthenticate = challenge({
      error: oauthError,
      error_description: oauthError && description,
      scope: permissions?.join(' '),
      max_age: maxAuthAgeSeconds?.toString(),
      resource_metadata: resourceMetadataUrl,
    });
  }
}
