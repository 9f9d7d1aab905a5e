import { auditInsert } from '#libs/security/audit';
import { ownClientId } from '#libs/platform/access';
import { rfc3339Sql, type Statement } from '#libs/platform/database';

import { declaredSources, unusedSecondsLeft } from '../sessions/sessions.repository.js';

/** So many failures cost nothing: people mistype, and a network is shared by many. */
const free = { source: 5, network: 20, account: 100 } as const;
/** The delay is one second after the first failure that counts; each further one doubles it. */
const longestDelaySeconds = 900;
/** One failure is forgotten in this time: waiting out a delay leaves the count as it was. */
const forgetSeconds = longestDelaySeconds;
/** After this time all failures that a counter can hold are forgotten. */
export const keptSeconds = (free.account + 12) * forgetSeconds;
/**
 * So many failures beyond the free ones of a source count against its network, and those of a
 * network against the account; further ones do not, so that one guesser slows nobody else for long.
 */
const passedOn = 5;

/**
 * Counts a failure in one counter, of `$1` subject and `$2` source, `$3` network or `$4` account;
 * the last two may be null. A counter that delays the attempt is left as it is.
 */
function count(counter: keyof typeof free, parameter: string, from: string): string {
  const forgotten = `greatest(0, floor(extract(epoch from now() - d.last_failed_at) / ${forgetSeconds}))::int`;
  const failures = `(greatest(0, d.failures - ${forgotten}) + 1)`;
  const delaySeconds = `least(${longestDelaySeconds}, power(2::float8, ${failures} - ${free[counter]} - 1))`;
  return `${counter} as (
    insert into login_delays as d (subject, device, failures, delayed_until, last_failed_at)
    select $1::uuid, ${parameter}::uuid, 1, now(), now() ${from}
    on conflict (subject, device) do update set failures = ${failures}, last_failed_at = now(),
      delayed_until = case when ${failures} > ${free[counter]} then now() + make_interval(secs => ${delaySeconds})
        else now() end
    where d.delayed_until <= now()
    returning d.failures
  )`;
}

/** A row when something delays the attempt. */
const runningDelay = `select from login_delays
  where subject = $1 and device in ($2::uuid, $3::uuid, $4::uuid) and delayed_until > now()`;

/** Counts a failure, as the first parts of a `with`; an attempt that is delayed counts nowhere. */
const countFailure = `${count('source', '$2', `where not exists (${runningDelay})`)},
  ${count('network', '$3', `from source where $3::uuid is not null and source.failures <= ${free.source + passedOn}`)},
  ${count(
    'account',
    '$4',
    `from source where $4::uuid is not null and source.failures <= ${free.source + passedOn}
      and not exists (select from network where network.failures > ${free.network + passedOn})`,
  )}`;

/**
 * Forgets the failures of the source, unless it is still delayed. Those of the network and of the
 * account stay: others share them, and guesses between the logins of the owner must add up.
 */
const forgetFailures = `delete from login_delays where subject = $1 and device = $2 and delayed_until <= now()`;

const details = 'null::jsonb';
const authTime = 'floor(extract(epoch from s.authenticated_at))::float8 as "authTime"';

/** The user, if the verified password is still the right one and the attempt is not delayed. */
const verifiedUser = (profile: string, metadata: string): string =>
  `select id, subject, roles, token_generation, session_generation, ${declaredSources(profile, metadata)},
        email_key is not null and not email_verified as is_unconfirmed from users u
      where id = $1 and status = 'active' and password_hash = $5
        and not exists (${runningDelay})
      for share`;

/**
 * The user is share-locked and the verified hash compared again, so that no deactivation or change
 * slips between. So are the signing key and the service: no login survives `revoke-all` or the end
 * of its service. When the key is gone, nothing is recorded, since no token can be issued. With
 * `$29` an address that is not confirmed lets nobody in.
 */
export const admit: Statement = {
  name: 'login-admit',
  text: `with cleared as (${forgetFailures}), u as (${verifiedUser('$27', '$28')}), k as (
      select from signing_keys where id = $25 and retired_at is null for share
    ), c as (
      select from services where name = $10 and status = 'active' for share
    ), s as (
      insert into sessions (id, user_id, generation, current_hash, user_agent, ip, client_id)
      select $6, u.id, u.session_generation, $7, $8, $9, $10 from u
      where exists (select from k) and ($10 = '${ownClientId}' or exists (select from c))
        and not ($29::boolean and u.is_unconfirmed) returning user_id, authenticated_at
    ), admitted as (${auditInsert({ from: 's', firstParameter: 11, details })}
    ), refused as (${auditInsert({ from: '(select where not exists (select from s) and exists (select from k)) as nobody', firstParameter: 18, details })})
    select exists (select from k) as "hasKey", s.user_id as "userId", u.subject, u.roles, u.profile, u.metadata,
      u.token_generation as "tokenGeneration", ${authTime},
      (select count(*) >= $26 from (select from sessions where user_id = $1 limit $26) as before) as "wasFull",
      exists (select from u where $29::boolean and is_unconfirmed) as "isUnconfirmed"
    from (select) as one left join s on true left join u on u.id = s.user_id`,
};

/** As `admit`, for a session that exists. Refusals are recorded elsewhere, by their error code. */
export const confirm: Statement = {
  name: 'login-confirm',
  text: `with cleared as (${forgetFailures}), u as (${verifiedUser('$17', '$18')}), k as (
      select from signing_keys where id = $14 and retired_at is null for share
    ), s as (
      update sessions s set authenticated_at = now() from u
      where s.id = $6 and s.user_id = u.id and s.generation = u.session_generation and exists (select from k)
      returning s.user_id, s.client_id, s.authenticated_at, ${unusedSecondsLeft('$15', '$16')}
    ), admitted as (${auditInsert({ from: 's', firstParameter: 7, details })})
    select exists (select from k) as "hasKey", s.user_id as "userId", u.subject, u.roles, u.profile, u.metadata,
      u.token_generation as "tokenGeneration", s.client_id as "clientId", ${authTime}, s."secondsLeft"
    from (select) as one left join s on true left join u on u.id = s.user_id`,
};

export const refuse: Statement = {
  name: 'login-refuse',
  text: `with ${countFailure}
    ${auditInsert({ from: '(select) as one', firstParameter: 5, details })}`,
};
/** As `refuse`, without an audit row. */
export const fail: Statement = { name: 'login-fail', text: `with ${countFailure} select` };
export const clear: Statement = {
  name: 'login-clear',
  text: `with cleared as (${forgetFailures}) select exists (${runningDelay}) as is_delayed`,
};

export const personalData: Statement = {
  text: `select id::text, failures, ${rfc3339Sql('last_failed_at')} as "lastFailedAt",
      ${rfc3339Sql('delayed_until')} as "delayedUntil"
    from login_delays where subject = $1 and ($2::bigint is null or id > $2) order by id limit $3`,
};
