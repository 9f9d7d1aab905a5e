type ErrorEntry = { readonly status: number; readonly title: string; readonly detail: string };

/**
 * Every error the service can answer. Closed: a code that is not here does not compile.
 * `detail` is what the caller reads when the thrower has nothing better to say; docs/errors.md is made from this table.
 */
export const errorCodes = {
  'malformed-json': { status: 400, title: 'Malformed JSON', detail: 'The body is not valid JSON.' },
  'invalid-encoding': {
    status: 400,
    title: 'Invalid text encoding',
    detail: 'Text must be well-formed UTF-8 without NUL characters or lone surrogates.',
  },
  'json-too-deep': { status: 400, title: 'JSON too deep', detail: 'The body nests deeper than 32 levels.' },
  'invalid-request': {
    status: 400,
    title: 'Invalid request',
    detail: 'The request has missing, unknown or invalid fields; `errors` lists each of them.',
  },
  'invalid-url': { status: 400, title: 'Invalid URL', detail: 'The URL has a malformed percent-encoding.' },
  'invalid-cursor': {
    status: 400,
    title: 'Invalid cursor',
    detail: 'This cursor is not one of ours or belongs to another query. Start again without `cursor`.',
  },
  'bad-request': { status: 400, title: 'Bad request', detail: 'The request is not valid HTTP.' },
  'password-refused': {
    status: 400,
    title: 'Password refused',
    detail: 'The password is too easy to guess; `errors` lists every reason.',
  },
  'authentication-required': {
    status: 401,
    title: 'Authentication required',
    detail: 'Send an access token as `Authorization: Bearer <token>`. POST /v1/auth/login gives one.',
  },
  'invalid-token': {
    status: 401,
    title: 'Invalid access token',
    detail: 'The access token is malformed, expired, revoked or not ours. Log in again.',
  },
  'invalid-credentials': {
    status: 401,
    title: 'Invalid credentials',
    detail: 'The user name or the password is wrong, or the account is deactivated.',
  },
  'invalid-refresh-token': {
    status: 401,
    title: 'Invalid refresh token',
    detail: 'The refresh token is malformed, expired, already used or its session is over. Log in again.',
  },
  'invalid-service-key': {
    status: 401,
    title: 'Invalid service key',
    detail: 'Send `X-Service-Key: <name>.<secret>` of an active service; `X-Service-Name`, if sent, must be its name.',
  },
  forbidden: { status: 403, title: 'Forbidden', detail: 'You may not do this.' },
  'registration-closed': {
    status: 403,
    title: 'Registration is closed',
    detail: 'Only an administrator can create users here.',
  },
  'wrong-password': {
    status: 403,
    title: 'Wrong current password',
    detail: '`currentPassword` is not the password of this user, or was tried too often: wait before you try again.',
  },
  'not-found': { status: 404, title: 'Not found', detail: 'There is nothing at this address.' },
  'user-not-found': { status: 404, title: 'No such user', detail: 'There is no user with this id or name.' },
  'session-not-found': { status: 404, title: 'No such session', detail: 'You have no session with this id.' },
  'service-not-found': { status: 404, title: 'No such service', detail: 'There is no service with this name.' },
  'method-not-allowed': {
    status: 405,
    title: 'Method not allowed',
    detail: 'This address does not take this method; the `Allow` header lists those it takes.',
  },
  'request-timeout': {
    status: 408,
    title: 'Request timeout',
    detail: 'The request did not arrive in time. Send it again on a new connection.',
  },
  'user-name-taken': { status: 409, title: 'User name taken', detail: 'Another user has this user name.' },
  'email-taken': { status: 409, title: 'E-mail address taken', detail: 'Another user has this e-mail address.' },
  'service-name-taken': { status: 409, title: 'Service name taken', detail: 'Another service has this name.' },
  'last-admin': {
    status: 409,
    title: 'Last administrator',
    detail: 'This is the last active administrator. Make another user an administrator first.',
  },
  'precondition-failed': {
    status: 412,
    title: 'Precondition failed',
    detail: 'The resource has changed since you read it. Read it again and repeat the change.',
  },
  'body-too-large': { status: 413, title: 'Body too large', detail: 'The body is larger than this address takes.' },
  'url-too-long': { status: 414, title: 'URL too long', detail: 'The URL or a part of it is too long.' },
  'unsupported-media-type': {
    status: 415,
    title: 'Unsupported media type',
    detail: 'This address does not take this content type. Send `Content-Type: application/json`.',
  },
  'headers-too-large': {
    status: 431,
    title: 'Request headers too large',
    detail: 'The request headers are larger than 16 KiB.',
  },
  'rate-limited': {
    status: 429,
    title: 'Too many requests',
    detail: 'You have used up what you may ask for. Try again after the time in `Retry-After`.',
  },
  'internal-error': {
    status: 500,
    title: 'Internal error',
    detail: 'Something went wrong on our side. The log has the details under the request id.',
  },
  overloaded: {
    status: 503,
    title: 'Overloaded',
    detail: 'The service has more to do than it can. Try again after the time in `Retry-After`.',
  },
  unavailable: {
    status: 503,
    title: 'Unavailable',
    detail: 'A part that this request needs does not answer at the moment. Try again shortly.',
  },
} as const satisfies Readonly<Record<string, ErrorEntry>>;

export type ErrorCode = keyof typeof errorCodes;
