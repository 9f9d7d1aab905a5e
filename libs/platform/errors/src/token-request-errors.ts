/** What is wrong with a request for a token (RFC 6749 §5.2, RFC 8707 §2); part of `errorCodes`. */
export const tokenRequestErrors = {
  'invalid-scope': {
    status: 400,
    title: 'Invalid scope',
    detail: 'The scope is malformed, or holds more than this service was granted for the resource.',
  },
  'invalid-target': {
    status: 400,
    title: 'Invalid target',
    detail: 'There is no token for this resource: it is unknown, not granted to this service, or one of several.',
  },
  'unsupported-grant-type': {
    status: 400,
    title: 'Unsupported grant type',
    detail: 'The only grant here is `client_credentials`. Users sign in by POST /v1/auth/login.',
  },
} as const;
