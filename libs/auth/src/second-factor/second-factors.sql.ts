import { rfc3339Sql, type Statement } from '#libs/platform/database';

/** A secret that nobody has confirmed within this time is gone. */
const confirmWithin = "interval '1 hour'";
const isPending = `confirmed_at is null and created_at > now() - ${confirmWithin}`;
export const isAbandoned = `confirmed_at is null and created_at < now() - ${confirmWithin}`;

/** What a login may be finished with; nothing without a confirmed factor. */
export const findKinds: Statement = {
  name: 'second-factor-kinds',
  text: `select exists (select from recovery_codes r where r.user_id = f.user_id) as "hasRecoveryCodes"
    from second_factors f where f.user_id = $1 and f.kind = 'totp' and f.confirmed_at is not null`,
};

const checked = 'id, secret, counter::float8 as "usedStep"';

export const findTotp = `select ${checked} from second_factors
  where user_id = ? and kind = 'totp' and confirmed_at is not null`;

/** Of uses of a code at once, on whichever replica, one gets the row. */
export const useStep = `update second_factors set counter = ?, last_used_at = now()
  where id = ? and counter < ? and confirmed_at is not null returning id`;

/** As `useStep`: a row is deleted once. */
export const useRecoveryCode = `delete from recovery_codes r using second_factors f
  where r.code_hash = ? and r.user_id = ? and f.user_id = r.user_id and f.confirmed_at is not null
  returning r.user_id`;

/** In the place of one that was not confirmed; no row when there is a confirmed one. */
export const insertPending = `insert into second_factors as f (id, user_id, kind, secret, counter)
  values (?, ?, 'totp', ?, 0)
  on conflict (user_id) where kind = 'totp' do update set id = excluded.id, secret = excluded.secret, created_at = now()
  where f.confirmed_at is null returning id`;

/** Locks it: of confirmations at once each sees what the one before has done. */
export const lockForConfirmation = `select ${checked}, confirmed_at is not null as "isConfirmed" from second_factors
  where user_id = ? and kind = 'totp' and (confirmed_at is not null or (${isPending})) for update`;

export const confirmTotp = `update second_factors set confirmed_at = now(), last_used_at = now(), counter = ?
  where id = ?`;

/** The session of whoever has just shown a code (RFC 8176). */
export const markSession = `update sessions set amr = '{pwd,otp,mfa}' where id = ? and user_id = ?`;

/** When the factor is gone, the next refresh says that there is the password alone. */
export const unmarkSessions = `update sessions set amr = '{pwd}' where user_id = ? and amr <> '{pwd}'`;

/** Locks the factors, so that codes are not made anew while they are removed. */
export const lockConfirmed = `select id from second_factors
  where user_id = ? and confirmed_at is not null order by id for update`;

export const removeCodes = 'delete from recovery_codes where user_id = ?';

/** Those that were begun and not confirmed go too, and do not count. */
export const removeFactors = `with removed as (delete from second_factors where user_id = ? returning confirmed_at)
  select count(confirmed_at)::int as count from removed`;

const times = `${rfc3339Sql('created_at')} as "createdAt", ${rfc3339Sql('last_used_at')} as "lastUsedAt"`;

export const listFactors: Statement = {
  text: `select id, kind, ${times},
      (select count(*)::int from recovery_codes where user_id = $1) as "recoveryCodesLeft"
    from second_factors where user_id = $1 and confirmed_at is not null order by created_at, id limit 100`,
};

/** To whom a change is told, and in which language. */
export const addressee = `select email, first_name as "firstName", profile ->> 'locale' as locale from users where id = ?`;

export const exportFactors: Statement = {
  text: `select id, kind, name, ${times}, ${rfc3339Sql('confirmed_at')} as "confirmedAt"
    from second_factors where user_id = $1 and ($2::uuid is null or id > $2) order by id limit $3`,
};

/** A user has ten at most. */
export const exportCodes: Statement = {
  text: `select ${rfc3339Sql('created_at')} as "createdAt" from recovery_codes where user_id = $1
    order by created_at, code_hash limit 100`,
};
