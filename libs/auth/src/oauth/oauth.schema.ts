import { z } from 'zod';

import { wantedAudienceSchema } from '#libs/platform/contract';

/** Unknown parameters are ignored, as RFC 6749 §3.1 asks. */
export const tokenFormSchema = z
  .object({
    token: z.string().min(1).meta({ description: 'Any text: what is no token of ours is not active' }),
    token_type_hint: z
      .string()
      .optional()
      .meta({ description: '`access_token` or `refresh_token`; of no consequence' }),
    client_id: z.string().optional().meta({ description: '`client_secret_post`: name of the service' }),
    client_secret: z.string().optional().meta({ description: '`client_secret_post`: its secret' }),
  })
  .meta({ id: 'TokenForm' });
export type TokenForm = z.infer<typeof tokenFormSchema>;

/** RFC 6749 §4.4.2, with RFC 8707 §2. */
export const serviceTokenFormSchema = z
  .object({
    grant_type: z.string().meta({ description: '`client_credentials`', example: 'client_credentials' }),
    scope: z.string().optional().meta({ description: 'With spaces between; by default all that is granted' }),
    resource: z.string().optional().meta({ description: 'The `audience` of a service; by default Gatehouse itself' }),
    client_id: z.string().optional().meta({ description: '`client_secret_post`: name of the service' }),
    client_secret: z.string().optional().meta({ description: '`client_secret_post`: its secret' }),
  })
  .meta({ id: 'ServiceTokenForm' });
export type ServiceTokenForm = z.infer<typeof serviceTokenFormSchema>;

/** RFC 6749 §5.1. */
export const serviceTokenSchema = z
  .strictObject({
    access_token: z.string().meta({ description: 'JWT (RFC 9068)' }),
    token_type: z.literal('Bearer'),
    expires_in: z.int().meta({ description: 'Seconds' }),
    scope: z.string().meta({ description: 'What it is good for, with spaces between' }),
  })
  .meta({ id: 'ServiceToken' });
export type ServiceToken = z.infer<typeof serviceTokenSchema>;

/** RFC 7662 §2.2; exactly `{"active":false}` for anything that is not good. */
export const introspectionSchema = z
  .union([
    z.strictObject({ active: z.literal(false) }),
    // beside these what `TOKEN_CLAIMS` declares
    z.looseObject({
      active: z.literal(true),
      sub: z.string(),
      exp: z.int(),
      iat: z.int(),
      iss: z.string(),
      aud: z.string(),
      jti: z.string().optional(),
      sid: z.string().optional(),
      client_id: z.string(),
      scope: z.string().optional().meta({ description: "Of a service's own token" }),
      token_type: z.enum(['Bearer', 'refresh_token']),
      roles: z.array(z.string()).optional(),
      permissions: z.array(z.string()).optional(),
      auth_time: z.int().optional(),
      amr: z
        .array(z.string())
        .optional()
        .meta({ description: 'RFC 8176', example: ['pwd', 'otp', 'mfa'] }),
      acr: z.string().optional().meta({ description: '`urn:gatehouse:1fa` or `urn:gatehouse:2fa`' }),
    }),
  ])
  .meta({ id: 'Introspection' });
export type Introspection = z.infer<typeof introspectionSchema>;

export const revokedSchema = z
  .strictObject({})
  .meta({ id: 'Revoked', description: 'Also for a token that is unknown' });

/** RFC 6749 §5.2, with members of our own. */
export const oauthErrorSchema = z
  .strictObject({
    error: z.string(),
    error_description: z.string(),
    code: z.string(),
    requestId: z.string(),
  })
  .meta({ id: 'OAuthError' });

export const metadataSchema = z
  .strictObject({
    issuer: z.string(),
    jwks_uri: z.string(),
    token_endpoint: z.string(),
    token_endpoint_auth_methods_supported: z.array(z.string()),
    introspection_endpoint: z.string(),
    introspection_endpoint_auth_methods_supported: z.array(z.string()),
    revocation_endpoint: z.string(),
    revocation_endpoint_auth_methods_supported: z.array(z.string()),
    response_types_supported: z.array(z.string()),
    grant_types_supported: z.array(z.string()),
    scopes_supported: z.array(z.string()),
    service_documentation: z.string(),
  })
  .meta({ id: 'AuthorizationServerMetadata' });
export type Metadata = z.infer<typeof metadataSchema>;

export const explainSchema = z
  .strictObject({
    token: z.string().min(1),
    audience: wantedAudienceSchema
      .optional()
      .meta({ description: 'Judges as the service of this audience would; without it as Gatehouse itself' }),
  })
  .meta({ id: 'Explain' });
export type Explain = z.infer<typeof explainSchema>;

export const explanationSchema = z
  .strictObject({
    isAccepted: z.boolean(),
    reason: z.enum([
      'accepted',
      'malformed',
      'unknown-key',
      'bad-signature',
      'wrong-issuer',
      'wrong-audience',
      'not-yet-valid',
      'expired',
      'revoked',
      'user-deactivated',
      'user-deleted',
      'service-deactivated',
      'service-deleted',
    ]),
    detail: z.string().meta({ description: 'In words, such as "expired 12 s ago"' }),
    at: z.iso.datetime().optional().meta({ description: 'When it expired, was revoked, or will expire' }),
    cause: z.string().optional().meta({ description: 'What revoked it, such as `logout`' }),
    userId: z.uuid().optional(),
    subject: z.string().optional().meta({ description: 'Its `sub`, where that is not the id of the user' }),
    sessionId: z.uuid().optional(),
    service: z.string().optional().meta({ description: 'Whose token it is, when it is no user' }),
  })
  .meta({ id: 'Explanation' });
export type Explanation = z.infer<typeof explanationSchema>;
