import { defineEntity, p } from '@mikro-orm/sql';

/** The public half of a signing key (RFC 7517, RFC 7518 §6.2.1). */
export type PublicJwk = { readonly kty: 'EC'; readonly crv: 'P-256'; readonly x: string; readonly y: string };

/**
 * A key pair for ES256. The private half is sealed under the master key. It signs from `signsFrom`
 * until the next key does. It is published earlier, and until its last token has expired.
 */
export const SigningKeyEntity = defineEntity({
  name: 'SigningKey',
  tableName: 'signing_keys',
  properties: {
    id: p.uuid().primary(),
    publicJwk: p.json<PublicJwk>(),
    sealedPrivateKey: p.blob(),
    signsFrom: p.datetime().columnType('timestamptz(3)'),
    retiredAt: p.datetime().columnType('timestamptz(3)').nullable(),
    createdAt: p.datetime().columnType('timestamptz(3)').defaultRaw('now()'),
  },
});
