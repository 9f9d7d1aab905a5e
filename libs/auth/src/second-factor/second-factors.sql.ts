import type { Statement } from '#libs/platform/database';

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

/** As `useStep`: a row that is deleted is deleted once. */
export const useRecoveryCode = `delete from recovery_codes r using second_factors f
  where r.code_hash = ? and r.user_id = ? and f.user_id = r.user_id and f.confirmed_at is not null
  returning r.code_hash`;

export const removeCodes = 'delete from recovery_codes where user_id = ?';
/** Those that were begun and not confirmed go too, and do not count. */
export const removeFactors = `with removed as (delete from second_factors where user_id = ? returning confirmed_at)
  select count(*) filter (where confirmed_at is not null)::int as count from removed`;
