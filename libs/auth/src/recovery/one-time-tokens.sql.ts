import { rfc3339Sql, type Statement } from '#libs/platform/database';

/** A link or a code is good for an hour. */
export const lifetimeSeconds = 3_600;
/** So many wrong tries end a code; the link goes on. */
const mostWrongCodes = 5;
/** So many of the last hour stay good, so that a mail that comes late is not worthless. */
const goodAtOnce = 3;

const isGood = `ended_at is null and created_at > now() - interval '${lifetimeSeconds} seconds'`;

/** Locks the user, so that mails to one address are counted one after the other. */
export const countOfHour = `select (
    select count(*)::int from one_time_tokens
    where email_key = ? and created_at > now() - interval '1 hour'
  ) as count, exists (select from one_time_tokens where id = ?) as "isIssued"
  from users where id = ? for no key update`;

export const insertToken = `insert into one_time_tokens (id, purpose, user_id, email_key, token_hash, code_hash)
  values (?, ?, ?, ?, ?, ?)`;

/** Those before the last three. */
export const endSurplus = `update one_time_tokens set ended_at = now() where id in (
    select id from one_time_tokens where user_id = ? and purpose = ? and ended_at is null
    order by created_at desc, id desc offset ${goodAtOnce}
  )`;

const owner = `id, user_id as "userId", email_key as "emailKey"`;

export const findByToken: Statement = {
  text: `select ${owner}, null as "codeHash" from one_time_tokens where token_hash = $2 and purpose = $1 and ${isGood}`,
};
export const findByCode: Statement = {
  text: `select ${owner}, code_hash as "codeHash" from one_time_tokens where email_key = $2 and code_hash = $3 and purpose = $1 and ${isGood}`,
};

/**
 * Of uses at once one gets the row. A code that wrong tries have ended since it was found is none:
 * many guesses at once are no more than five either.
 */
export const useOne = `update one_time_tokens set ended_at = now()
  where id = ? and code_hash is not distinct from coalesce(?, code_hash) and ${isGood} returning id`;

/** Of all that are good at an address, since nobody knows which one was meant. */
export const countWrongCode = `update one_time_tokens set wrong_codes = wrong_codes + 1,
    code_hash = case when wrong_codes + 1 < ${mostWrongCodes} then code_hash end
  where email_key = ? and purpose = ? and code_hash is not null and ${isGood}`;

/** `?` an array of users. */
export const endAll = `update one_time_tokens set ended_at = now()
  where user_id = any(?::uuid[]) and ended_at is null`;

/** Without the secrets; `$1` the user. */
export const exportOf: Statement = {
  text: `select id, purpose, email_key as "email", wrong_codes as "wrongCodes",
      ${rfc3339Sql('created_at')} as "createdAt", ${rfc3339Sql('ended_at')} as "endedAt"
    from one_time_tokens where user_id = $1 and ($2::uuid is null or id > $2) order by id limit $3`,
};
