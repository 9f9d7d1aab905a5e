import { rfc3339Sql, type Statement } from '#libs/platform/database';

export const lifetimeSeconds = 300;
const isAlive = `created_at > now() - interval '${lifetimeSeconds} seconds'`;

/** A service that shows its key finishes its own logins only, as it refreshes its own sessions. */
export const findChallenge: Statement = {
  name: 'login-challenge',
  text: `select user_id as "userId", password_hash as "passwordHash", client_id as "clientId", audience
    from login_challenges where token_hash = $1 and ${isAlive} and ($2::text is null or client_id = $2)`,
};
export const renewHash: Statement = { text: 'update login_challenges set password_hash = $2 where token_hash = $1' };
export const personalData: Statement = {
  text: `select encode(token_hash, 'hex') as id, client_id as "clientId", audience,
      ${rfc3339Sql('created_at')} as "createdAt"
    from login_challenges where user_id = $1 and ($2::text is null or encode(token_hash, 'hex') > $2)
    order by encode(token_hash, 'hex') limit $3`,
};

export const isGood = `select from login_challenges where token_hash = ? and ${isAlive}`;
export const useChallenge = `delete from login_challenges where token_hash = ? and ${isAlive} returning user_id`;
export const eraseChallenges = 'delete from login_challenges where user_id = ?';
