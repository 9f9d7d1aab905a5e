import { tokenRequestErrors } from './token-request-errors.js';

type ErrorEntry = { readonly status: number; readonly title: string; readonly detail: string };

/**
 * Every error the service can answer. Closed: a code that is not here does not compile. `detail` is
 * what the caller reads when the thrower has nothing better to say; docs/errors.md is made from
 * this table.
 */
export const errorCodes = {
  'malformed-json': { status: 400, title: 'Malformed JSON', detail: 'The body is not valid JSON.' },
  'malformed-csv': {
    status: 400,
    title: 'Malformed CSV',
    detail: 'The body is not valid CSV (RFC 4180), or its first line does not name the fields.',
  },
  'invalid-encoding': {
    status: 400,
    title: 'Invalid text encoding',
    detail: 'Text must be well-formed UTF-8 without NUL characters or lone surrogates.',
  },
  'json-too-deep': { status: 400, title: 'JSON too deep', detail: 'The body nests deeper than 32 levels.' },
  'malformed-multipart': {
    status: 400,
    title: 'Malformed form',
    detail: 'The body is not a valid `multipart/form-data` form.',
  },
  'invalid-request': {
    status: 400,
    title: 'Invalid request',
    detail: 'The request has missing, unknown or invalid fields; `errors` lists each of them.',
  },
  'invalid-url': { status: 400, title: 'Invalid URL', detail: 'The URL has a malformed percent-encoding.' },
  'invalid-cursor': {
    status: 400,
    title: 'Invalid cursor',
    detail: 'This cursor is not one of ours. Start again without `cursor`.',
  },
  'cursor-of-another-query': {
    status: 400,
    title: 'Cursor of another query',
    detail: 'This cursor was given for other filters or another `sort`. Keep them, or start again without `cursor`.',
  },
  'invalid-idempotency-key': {
    status: 400,
    title: 'Invalid idempotency key',
    detail: '`Idempotency-Key` takes 1 to 255 visible ASCII characters without spaces, such as a UUID.',
  },
  'malformed-query': { status: 400, title: 'Malformed query', detail: 'The query is not a GraphQL document.' },
  'invalid-query': { status: 400, title: 'Invalid query', detail: 'The query does not fit the GraphQL schema.' },
  'query-too-costly': {
    status: 400,
    title: 'Query too costly',
    detail: 'The query asks for too much at once. Ask for less, or in several requests.',
  },
  'bad-request': { status: 400, title: 'Bad request', detail: 'The request is not valid HTTP.' },
  'password-refused': {
    status: 400,
    title: 'Password refused',
    detail: 'The password is too easy to guess; `errors` lists every reason.',
  },
  'invalid-confirmation': {
    status: 400,
    title: 'Link or code not good',
    detail: 'The link or the code is wrong, was used, or is too old. Ask for a new one.',
  },
  'unknown-role': {
    status: 400,
    title: 'Unknown role',
    detail: 'There is no role with this name. GET /v1/roles lists those that there are.',
  },
  'unknown-audience': {
    status: 400,
    title: 'Unknown audience',
    detail: 'No active service has this audience. Leave it out for a token of Gatehouse itself.',
  },
  ...tokenRequestErrors,
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
  'second-factor-required': {
    status: 401,
    title: 'Second factor required',
    detail:
      'The password was right. POST /v1/auth/login/second-factor takes `challenge` with a code of the second factor.',
  },
  'invalid-challenge': {
    status: 401,
    title: 'Invalid challenge',
    detail: 'The challenge is not ours, was used, or is older than five minutes. Log in again.',
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
  'mail-off': {
    status: 403,
    title: 'Mail is off',
    detail: 'This installation sends no mail. Ask an administrator.',
  },
  'email-not-verified': {
    status: 403,
    title: 'Address not confirmed',
    detail: 'Confirm your e-mail address first. POST /v1/auth/email-verification sends a new mail.',
  },
  'fresh-authentication-required': {
    status: 403,
    title: 'Fresh authentication required',
    detail:
      'This needs a password given within the last 10 minutes. POST /v1/auth/reauthenticate gives a token that says so.',
  },
  'wrong-password': {
    status: 403,
    title: 'Wrong current password',
    detail: '`currentPassword` is not the password of this user, or was tried too often: wait before you try again.',
  },
  'wrong-code': {
    status: 403,
    title: 'Wrong code',
    detail: 'This is no code of the second factor, was used, or was tried too often: wait before you try again.',
  },
  'not-found': { status: 404, title: 'Not found', detail: 'There is nothing at this address.' },
  'user-not-found': { status: 404, title: 'No such user', detail: 'There is no user with this id or name.' },
  'session-not-found': { status: 404, title: 'No such session', detail: 'You have no session with this id.' },
  'avatar-not-found': {
    status: 404,
    title: 'No such avatar',
    detail: 'There is no such picture, or the user has set none; `?default=initials` gives one made of initials.',
  },
  'service-not-found': { status: 404, title: 'No such service', detail: 'There is no service with this name.' },
  'role-not-found': { status: 404, title: 'No such role', detail: 'There is no role with this name.' },
  'invitation-not-found': {
    status: 404,
    title: 'No such invitation',
    detail: 'There is no invitation with this id. It may have been accepted, withdrawn, or have expired.',
  },
  'second-factor-not-found': {
    status: 404,
    title: 'No second factor',
    detail: 'This user has no second factor of this kind.',
  },
  'message-not-found': {
    status: 404,
    title: 'No such message',
    detail: 'There is no message for you here. It was read or deleted, has expired, or is for somebody else.',
  },
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
  'feed-reset': {
    status: 409,
    title: 'The feed begins anew',
    detail:
      'The cursor is of another history of the database. Read the revocations without a cursor, and add them to yours.',
  },
  'user-name-taken': { status: 409, title: 'User name taken', detail: 'Another user has this user name.' },
  'idempotency-key-in-use': {
    status: 409,
    title: 'Idempotency key in use',
    detail: 'The first request with this `Idempotency-Key` is still being worked on. Try again in a moment.',
  },
  'idempotency-key-reused': {
    status: 422,
    title: 'Idempotency key reused',
    detail: 'This `Idempotency-Key` was sent with another body before. Take a new one for a new thing to do.',
  },
  'email-taken': { status: 409, title: 'E-mail address taken', detail: 'Another user has this e-mail address.' },
  'second-factor-exists': {
    status: 409,
    title: 'Second factor exists',
    detail: 'This user has a second factor of this kind. Remove it first.',
  },
  'rotation-conflict': {
    status: 409,
    title: 'Rotated meanwhile',
    detail: 'The secret was rotated at the same moment: use that one, or rotate again.',
  },
  'service-name-taken': { status: 409, title: 'Service name taken', detail: 'Another service has this name.' },
  'role-exists': { status: 409, title: 'Role exists', detail: 'There is a role with this name already.' },
  'too-many-roles': { status: 409, title: 'Too many roles', detail: 'There are 1,000 roles already. Remove one.' },
  'role-in-use': {
    status: 409,
    title: 'Role in use',
    detail: 'Users hold this role. Take it from them first, or remove it from all of them with `?force=true`.',
  },
  'role-built-in': {
    status: 409,
    title: 'Built-in role',
    detail: 'The roles `user` and `admin` cannot be removed; their permissions may be changed.',
  },
  'audience-taken': { status: 409, title: 'Audience taken', detail: 'Tokens for this audience are those of another.' },
  'external-id-taken': { status: 409, title: 'External id taken', detail: 'Another user has this external id.' },
  'id-taken': { status: 409, title: 'Id taken', detail: 'Another user has this id.' },
  'subject-taken': { status: 409, title: 'Subject taken', detail: 'Another user has this subject, or such an id.' },
  'duplicate-row': {
    status: 409,
    title: 'Duplicate row',
    detail: 'An earlier row of this import has the same user name or external id.',
  },
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
    detail: 'This address does not take this content type, or not in this encoding.',
  },
  'unsupported-image': {
    status: 415,
    title: 'Unsupported image format',
    detail: 'The file is none of PNG, JPEG, WebP, GIF and AVIF. What counts is its content, not its name or its type.',
  },
  'unreadable-image': {
    status: 422,
    title: 'Unreadable image',
    detail: 'The image is damaged or cut short, or takes too long to read.',
  },
  'image-too-large': {
    status: 422,
    title: 'Image too large',
    detail: 'The image has more pixels than are taken. Send a smaller one.',
  },
  'permissions-too-large': {
    status: 422,
    title: 'Permissions too large',
    detail: 'With this, the permissions of a user would add more than 4 KB to an access token. Grant fewer.',
  },
  'profile-too-large': {
    status: 422,
    title: 'Profile too large',
    detail: '`profile` and `metadata` of a user may have 16 KB together, as JSON.',
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
  'too-many-messages': {
    status: 429,
    title: 'Too many messages',
    detail:
      'Your messages, those that are used up too, are as many as you may have. Delete some, or wait until they expire.',
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
  'too-many-streams': {
    status: 503,
    title: 'Too many streams',
    detail: 'This replica takes no more streams. Another one may; else try again after the time in `Retry-After`.',
  },
  unavailable: {
    status: 503,
    title: 'Unavailable',
    detail: 'A part that this request needs does not answer at the moment. Try again shortly.',
  },
} as const satisfies Readonly<Record<string, ErrorEntry>>;

export type ErrorCode = keyof typeof errorCodes;
