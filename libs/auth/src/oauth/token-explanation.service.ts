import { Inject, Injectable } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';

import { type Config, CONFIG } from '#libs/platform/config';
import { DatabaseClock, epochMs, Sql, type Statement } from '#libs/platform/database';
import { UsersRepository } from '#libs/users';

import { importPublicKey } from '../keys/key-ring.js';
import type { PublicJwk } from '../keys/signing-key.entity.js';
import { type Claims, claimsSchema, clockSkewSeconds, headerSchema } from '../tokens/access-token.js';
import type { Explanation } from './oauth.schema.js';

type Refusal = Explanation & { readonly isAccepted: false };

/** As text: an id in capitals is the same UUID, but no `kid` that the guard knows. */
const keyById: Statement = { text: 'select public_jwk from signing_keys where id::text = $1' };
/** Every entry that ends this token, the first of them first. */
const endOf: Statement = {
  text: `select kind, cause, ${epochMs('created_at')} as at_ms from revocations
    where (kind = 'token' and subject = $1) or (kind = 'session' and subject = $2)
      or (kind = 'user' and subject = $3 and generation > $4) or (kind = 'key' and subject = $5)
    order by created_at, id limit 1`,
};

/** Says why a token is or is not accepted: the checks of the guard one by one, from the tables rather than from memory. */
@Injectable()
export class TokenExplanation {
  constructor(
    private readonly jwt: JwtService,
    private readonly sql: Sql,
    private readonly users: UsersRepository,
    private readonly clock: DatabaseClock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  async explain(token: string): Promise<Explanation> {
    const keyId = readKeyId(token);
    if (keyId === undefined) return refused('malformed', 'not a JWT with the header of an access token of ours');
    const key = await this.sql.row<{ public_jwk: PublicJwk }>(keyById, [keyId]);
    if (!key)
      return refused('unknown-key', `no key of ours has the id ${keyId}: another issuer's, or removed long ago`);
    const claims = this.#verified(token, key.public_jwk);
    if (claims === 'bad-signature') return refused(claims, 'the signature is not that of the key it names');
    if (claims === 'malformed') return refused(claims, 'a claim is missing or has the wrong type');
    return { ...(await this.#judge(claims, keyId)), userId: claims.sub, sessionId: claims.sid };
  }

  async #judge(claims: Claims, keyId: string): Promise<Explanation> {
    const { iss, aud, sub, sid, jti, gen } = claims;
    if (iss !== this.config.ISSUER) return refused('wrong-issuer', `iss is ${iss}, not ${this.config.ISSUER}`);
    if (aud !== this.config.AUDIENCE) return refused('wrong-audience', `aud is ${aud}, not ${this.config.AUDIENCE}`);
    const now = Math.floor(this.clock.nowMs() / 1000);
    if (claims.iat > now + clockSkewSeconds) return refused('malformed', `iat is ${claims.iat - now} s in the future`);
    const secondsLeft = claims.exp - now;
    const at = new Date(claims.exp * 1000).toISOString();
    if (secondsLeft <= 0) return { ...refused('expired', `expired ${-secondsLeft} s ago`), at };
    const end = await this.sql.row<Ended>(endOf, [jti, sid, sub, gen, keyId]);
    if (end) return revokedBy(end);
    const user = await this.users.findById(sub);
    if (!user) return refused('user-deleted', 'the user has been deleted');
    if (user.status !== 'active') return refused('user-deactivated', 'the user is deactivated');
    return { isAccepted: true, reason: 'accepted', detail: `good for another ${secondsLeft} s`, at };
  }

  #verified(token: string, jwk: PublicJwk): Claims | 'bad-signature' | 'malformed' {
    try {
      const publicKey = importPublicKey(jwk).export({ format: 'pem', type: 'spki' });
      const payload: unknown = this.jwt.verify(token, { publicKey, algorithms: ['ES256'], ignoreExpiration: true });
      const claims = claimsSchema.safeParse(payload);
      return claims.success ? claims.data : 'malformed';
    } catch {
      return 'bad-signature';
    }
  }
}

type Ended = { readonly kind: string; readonly cause: string; readonly at_ms: number };

function revokedBy({ kind, cause, at_ms }: Ended): Refusal {
  const at = new Date(at_ms).toISOString();
  const reason = cause === 'user-deactivated' || cause === 'user-deleted' ? cause : 'revoked';
  return { ...refused(reason, `its ${kind} was revoked by ${cause} at ${at}`), at, cause };
}

const refused = (reason: Exclude<Explanation['reason'], 'accepted'>, detail: string): Refusal => ({
  isAccepted: false,
  reason,
  detail,
});

function readKeyId(token: string): string | undefined {
  const [head = '', ...rest] = token.split('.', 4);
  if (rest.length !== 2) return undefined;
  try {
    return headerSchema.parse(JSON.parse(Buffer.from(head, 'base64url').toString('utf8'))).kid;
  } catch {
    return undefined;
  }
}
