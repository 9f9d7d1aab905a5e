import type { SqlEntityManager } from '@mikro-orm/sql';
import { Inject, Injectable } from '@nestjs/common';

import { ownClientId, type RequestSource } from '#libs/platform/access';
import { type Config, CONFIG } from '#libs/platform/config';

import { withSecondFactor } from '../tokens/access-token.js';
import { sourcesOf } from '../tokens/declared-claims.js';
import type { TokenSubject } from '../tokens/token-issuer.service.js';
import { subject, unusedSecondsLeft } from './sessions.repository.js';
import type { NewSession } from './sessions.service.js';

/** Whether the key that is to sign was still there, and for whom it signs. */
type Written<Subject> = { readonly hasKey: boolean } & (Subject | { readonly userId: null });

const secondFactor = `'{${withSecondFactor.join(',')}}'`;
/** Share-locked, so that a retirement waits: `revoke-all` ends what is written before it. */
const key = 'k as (select from signing_keys where id = ? and retired_at is null for share)';

const begin = `with ${key}, c as (
    select from services where name = ? and status = 'active' for share
  ), s as (
    insert into sessions (id, user_id, generation, current_hash, user_agent, ip, client_id, amr)
    select ?::uuid, u.id, u.session_generation, ?::bytea, ?::text, ?::text, ?::text, ${secondFactor} from users u
    where u.id = ? and exists (select from k) and (?::text = '${ownClientId}' or exists (select from c))
    returning user_id, client_id, amr, authenticated_at, created_at
  )
  select exists (select from k) as "hasKey", ${subject('?', '?')},
    (select count(*) >= ?::int from (select from sessions where user_id = ? limit ?) as before) as "wasFull"
  from (select) as one left join s on true left join users u on u.id = s.user_id`;

const confirmation = (amr: string): string => `with ${key}, s as (
    update sessions s set authenticated_at = now()${amr} from users u
    where s.id = ? and s.user_id = u.id and s.generation = u.session_generation and exists (select from k)
    returning s.*
  )
  select exists (select from k) as "hasKey", ${subject('?', '?')}, ${unusedSecondsLeft('?', '?')}
  from (select) as one left join s on true left join users u on u.id = s.user_id`;
const confirmed = { password: confirmation(''), code: confirmation(`, amr = ${secondFactor}`) };

/** How the users of sessions were authenticated, and when; in the transactions of their proof. */
@Injectable()
export class SessionAuthenticationRepository {
  readonly #declared: readonly [boolean, boolean];

  constructor(@Inject(CONFIG) private readonly config: Config) {
    this.#declared = sourcesOf(config.TOKEN_CLAIMS);
  }

  /** Begins a session with both factors; for nobody when its service has ended meanwhile. */
  async begin(
    em: SqlEntityManager,
    userId: string,
    { id, refreshHash, clientId, keyId }: NewSession,
    { userAgent, ip }: RequestSource,
  ): Promise<Written<Omit<TokenSubject, 'secondsLeft'> & { readonly wasFull: boolean }> | undefined> {
    const most = this.config.SESSIONS_PER_USER;
    const session = [id, refreshHash, userAgent ?? null, ip, clientId];
    const values = [keyId, clientId, ...session, userId, clientId, ...this.#declared, most, userId, most];
    const [begun] = await em.execute<Written<Omit<TokenSubject, 'secondsLeft'> & { wasFull: boolean }>[]>(
      begin,
      values,
    );
    return begun;
  }

  /**
   * Records that the user of a session has just given the password or a code, which makes it one
   * with both factors; for nobody when the session is over.
   */
  async confirm(
    em: SqlEntityManager,
    { id, keyId }: Pick<NewSession, 'id' | 'keyId'>,
    given: 'password' | 'code',
  ): Promise<Written<TokenSubject> | undefined> {
    const { SESSION_IDLE_SECONDS, SESSION_TTL_SECONDS } = this.config;
    const values = [keyId, id, ...this.#declared, SESSION_IDLE_SECONDS, SESSION_TTL_SECONDS];
    const [written] = await em.execute<Written<TokenSubject>[]>(confirmed[given], values);
    return written;
  }
}
