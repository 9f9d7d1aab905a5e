/** So many failures cost nothing: people mistype, households share a network, and an account has many strangers. */
const free = { source: 5, network: 20, account: 100 } as const;
/** One second after the first failure that counts, doubled by each further one. */
const longestDelaySeconds = 900;
/** One failure is forgotten in as long as the longest delay takes, so that who waits it out is no further than before. */
const forgetSeconds = longestDelaySeconds;
/** By then all that a counter may hold has been forgotten. */
export const keptSeconds = (free.account + 12) * forgetSeconds;
/** Of a source or a network so many failures beyond the free ones count against what is wider: one guesser is one. */
const passedOn = 5;

/**
 * The parts of `$1` subject, `$2` source, `$3` network and `$4` account; the last two may be null. A counter is left as it
 * is while it delays.
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

/** A row if something delays the attempt. */
export const runningDelay = `select from login_delays
  where subject = $1 and device in ($2::uuid, $3::uuid, $4::uuid) and delayed_until > now()`;

/** Counts a failure, as the first parts of a `with`; one that is delayed counts nowhere. */
export const countFailure = `${count('source', '$2', `where not exists (${runningDelay})`)},
  ${count('network', '$3', `from source where $3::uuid is not null and source.failures <= ${free.source + passedOn}`)},
  ${count(
    'account',
    '$4',
    `from source where $4::uuid is not null and source.failures <= ${free.source + passedOn}
      and not exists (select from network where network.failures > ${free.network + passedOn})`,
  )}`;

/**
 * Forgets the failures of the source, unless it is still delayed. Those of the network and of the account stay: they are
 * others' too, and guesses between the logins of the owner must add up.
 */
export const forgetFailures = `delete from login_delays where subject = $1 and device = $2 and delayed_until <= now()`;
