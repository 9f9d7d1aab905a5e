-- POST /v1/users
select exists (select from users where user_name_key = $1) as name_taken,
exists (select from users where email_key = $2) as email_taken;

-- POST /v1/auth/login
select id, status, password_hash from users where user_name_key = $1;
with cleared as (delete from login_delays where subject = $1 and device = $2 and delayed_until <= now()), u as (select id, subject, roles, token_generation, session_generation, case when $27 then u.profile end as profile, case when $28 then u.metadata end as metadata,
email_key is not null and not email_verified as is_unconfirmed from users u
where id = $1 and status = 'active' and password_hash = $5
and not exists (select from login_delays
where subject = $1 and device in ($2::uuid, $3::uuid, $4::uuid) and delayed_until > now())
for share), k as (
select from signing_keys where id = $25 and retired_at is null for share
), c as (
select from services where name = $10 and status = 'active' for share
), s as (
insert into sessions (id, user_id, generation, current_hash, user_agent, ip, client_id)
select $6, u.id, u.session_generation, $7, $8, $9, $10 from u
where exists (select from k) and ($10 = 'gatehouse' or exists (select from c))
and not ($29::boolean and u.is_unconfirmed) returning user_id, authenticated_at
), admitted as (insert into audit_events (id, event, user_id, caller, ip, user_agent, request_id, details)
select $11::uuid, $12::text, $13::uuid, $14::text, $15::text, $16::text, $17::text, null::jsonb from s
), refused as (insert into audit_events (id, event, user_id, caller, ip, user_agent, request_id, details)
select $18::uuid, $19::text, $20::uuid, $21::text, $22::text, $23::text, $24::text, null::jsonb from (select where not exists (select from s) and exists (select from k)) as nobody)
select exists (select from k) as "hasKey", s.user_id as "userId", u.subject, u.roles, u.profile, u.metadata,
u.token_generation as "tokenGeneration", floor(extract(epoch from s.authenticated_at))::float8 as "authTime",
(select count(*) >= $26 from (select from sessions where user_id = $1 limit $26) as before) as "wasFull",
exists (select from u where $29::boolean and is_unconfirmed) as "isUnconfirmed"
from (select) as one left join s on true left join u on u.id = s.user_id;

-- POST /v1/auth/login, wrong password
with source as (
insert into login_delays as d (subject, device, failures, delayed_until, last_failed_at)
select $1::uuid, $2::uuid, 1, now(), now() where not exists (select from login_delays
where subject = $1 and device in ($2::uuid, $3::uuid, $4::uuid) and delayed_until > now())
on conflict (subject, device) do update set failures = (greatest(0, d.failures - greatest(0, floor(extract(epoch from now() - d.last_failed_at) / 900))::int) + 1), last_failed_at = now(),
delayed_until = case when (greatest(0, d.failures - greatest(0, floor(extract(epoch from now() - d.last_failed_at) / 900))::int) + 1) > 5 then now() + make_interval(secs => least(900, power(2::float8, (greatest(0, d.failures - greatest(0, floor(extract(epoch from now() - d.last_failed_at) / 900))::int) + 1) - 5 - 1)))
else now() end
where d.delayed_until <= now()
returning d.failures
),
network as (
insert into login_delays as d (subject, device, failures, delayed_until, last_failed_at)
select $1::uuid, $3::uuid, 1, now(), now() from source where $3::uuid is not null and source.failures <= 10
on conflict (subject, device) do update set failures = (greatest(0, d.failures - greatest(0, floor(extract(epoch from now() - d.last_failed_at) / 900))::int) + 1), last_failed_at = now(),
delayed_until = case when (greatest(0, d.failures - greatest(0, floor(extract(epoch from now() - d.last_failed_at) / 900))::int) + 1) > 20 then now() + make_interval(secs => least(900, power(2::float8, (greatest(0, d.failures - greatest(0, floor(extract(epoch from now() - d.last_failed_at) / 900))::int) + 1) - 20 - 1)))
else now() end
where d.delayed_until <= now()
returning d.failures
),
account as (
insert into login_delays as d (subject, device, failures, delayed_until, last_failed_at)
select $1::uuid, $4::uuid, 1, now(), now() from source where $4::uuid is not null and source.failures <= 10
and not exists (select from network where network.failures > 25)
on conflict (subject, device) do update set failures = (greatest(0, d.failures - greatest(0, floor(extract(epoch from now() - d.last_failed_at) / 900))::int) + 1), last_failed_at = now(),
delayed_until = case when (greatest(0, d.failures - greatest(0, floor(extract(epoch from now() - d.last_failed_at) / 900))::int) + 1) > 100 then now() + make_interval(secs => least(900, power(2::float8, (greatest(0, d.failures - greatest(0, floor(extract(epoch from now() - d.last_failed_at) / 900))::int) + 1) - 100 - 1)))
else now() end
where d.delayed_until <= now()
returning d.failures
)
insert into audit_events (id, event, user_id, caller, ip, user_agent, request_id, details)
select $5::uuid, $6::text, $7::uuid, $8::text, $9::text, $10::text, $11::text, null::jsonb from (select) as one;

-- POST /v1/auth/refresh
update sessions s set previous_hash = s.current_hash, current_hash = $5, rotation = s.rotation + 1,
previous_rotated_at = s.last_used_at, last_used_at = now(), user_agent = coalesce($6, s.user_agent), ip = $7
from users u where s.id = $1 and s.current_hash = $4 and u.id = s.user_id and s.last_used_at > now() - make_interval(secs => $2) and s.created_at > now() - make_interval(secs => $3)
and u.status = 'active' and s.generation = u.session_generation and ($8::text is null or s.client_id = $8)
returning u.id as "userId", u.subject, u.roles,
case when $9 then u.profile end as profile, case when $10 then u.metadata end as metadata, u.token_generation as "tokenGeneration", s.client_id as "clientId",
floor(extract(epoch from coalesce(s.authenticated_at, s.created_at)))::float8 as "authTime", least($2::float8, $3::float8 - extract(epoch from now() - s.created_at))::float8 as "secondsLeft";

-- POST /v1/auth/introspect, refresh token
select u.id as "userId", u.subject, s.client_id as "clientId", extract(epoch from s.last_used_at)::float8 as "issuedSeconds",
least($2::float8 - extract(epoch from now() - s.last_used_at),
$3::float8 - extract(epoch from now() - s.created_at))::float8 as "secondsLeft"
from sessions s join users u on u.id = s.user_id where s.id = $1 and s.current_hash = $4 and s.last_used_at > now() - make_interval(secs => $2) and s.created_at > now() - make_interval(secs => $3)
and u.status = 'active' and s.generation = u.session_generation;

-- GET /v1/users/me
select asked::int, found.* from unnest($1::uuid[]) with ordinality as wanted (wanted_id, asked)
cross join lateral (select id, user_name, first_name, last_name, email, array_to_string(roles, ' ') as roles, status,
encode(avatar_hash, 'hex') as avatar_hash, subject, nullif(profile, '{}') as profile,
nullif(metadata, '{}') as metadata, email_verified, pending_email, version,
(extract(epoch from created_at) * 1000)::float8 as created_ms,
case when updated_at <> created_at then (extract(epoch from updated_at) * 1000)::float8 end as updated_ms from users where id = wanted_id limit 1) as found;

-- GET /v1/users/by-user-name/{userName}
select id, user_name, first_name, last_name, email, array_to_string(roles, ' ') as roles, status,
encode(avatar_hash, 'hex') as avatar_hash, subject, nullif(profile, '{}') as profile,
nullif(metadata, '{}') as metadata, email_verified, pending_email, version,
(extract(epoch from created_at) * 1000)::float8 as created_ms,
case when updated_at <> created_at then (extract(epoch from updated_at) * 1000)::float8 end as updated_ms from users where user_name_key = $1;

-- GET /v1/users
select id, user_name, first_name, last_name, email, array_to_string(roles, ' ') as roles, status,
encode(avatar_hash, 'hex') as avatar_hash, subject, nullif(profile, '{}') as profile,
nullif(metadata, '{}') as metadata, email_verified, pending_email, version,
(extract(epoch from created_at) * 1000)::float8 as created_ms,
case when updated_at <> created_at then (extract(epoch from updated_at) * 1000)::float8 end as updated_ms from users  order by created_at desc, id desc limit $1;

-- GET /v1/users?sort=-userName
select id, user_name, first_name, last_name, email, array_to_string(roles, ' ') as roles, status,
encode(avatar_hash, 'hex') as avatar_hash, subject, nullif(profile, '{}') as profile,
nullif(metadata, '{}') as metadata, email_verified, pending_email, version,
(extract(epoch from created_at) * 1000)::float8 as created_ms,
case when updated_at <> created_at then (extract(epoch from updated_at) * 1000)::float8 end as updated_ms from users  order by user_name_key desc limit $1;

-- GET /v1/users?status=&role=
select "end".*, page.* from (values (1)) as one (n)
left join (
select id as end_id, user_name_key as end_key, (extract(epoch from created_at) * 1000)::float8 as end_ms
from users where roles @> array['admin']::text[] order by created_at desc, id desc offset $1 limit 1
) as "end" on true
left join (
select id, user_name, first_name, last_name, email, array_to_string(roles, ' ') as roles, status,
encode(avatar_hash, 'hex') as avatar_hash, subject, nullif(profile, '{}') as profile,
nullif(metadata, '{}') as metadata, email_verified, pending_email, version,
(extract(epoch from created_at) * 1000)::float8 as created_ms,
case when updated_at <> created_at then (extract(epoch from updated_at) * 1000)::float8 end as updated_ms from (select * from users where roles @> array['admin']::text[] order by created_at desc, id desc limit $2) as users where status = 'active' order by created_at desc, id desc limit $3
) as page on true;
select id, user_name, first_name, last_name, email, array_to_string(roles, ' ') as roles, status,
encode(avatar_hash, 'hex') as avatar_hash, subject, nullif(profile, '{}') as profile,
nullif(metadata, '{}') as metadata, email_verified, pending_email, version,
(extract(epoch from created_at) * 1000)::float8 as created_ms,
case when updated_at <> created_at then (extract(epoch from updated_at) * 1000)::float8 end as updated_ms from (select * from users where roles @> array['admin']::text[] order by created_at desc, id desc limit $1) as users where status = 'active' order by created_at desc, id desc limit $2;

-- GET /v1/users?createdAfter=
select id, user_name, first_name, last_name, email, array_to_string(roles, ' ') as roles, status,
encode(avatar_hash, 'hex') as avatar_hash, subject, nullif(profile, '{}') as profile,
nullif(metadata, '{}') as metadata, email_verified, pending_email, version,
(extract(epoch from created_at) * 1000)::float8 as created_ms,
case when updated_at <> created_at then (extract(epoch from updated_at) * 1000)::float8 end as updated_ms from users where created_at > $1::timestamptz order by created_at asc, id asc limit $2;

-- GET /v1/users?q=
select "end".*, page.* from (values (1)) as one (n)
left join (
select id as end_id, user_name_key as end_key, (extract(epoch from created_at) * 1000)::float8 as end_ms
from users  order by created_at desc, id desc offset $2 limit 1
) as "end" on true
left join (
select id, user_name, first_name, last_name, email, array_to_string(roles, ' ') as roles, status,
encode(avatar_hash, 'hex') as avatar_hash, subject, nullif(profile, '{}') as profile,
nullif(metadata, '{}') as metadata, email_verified, pending_email, version,
(extract(epoch from created_at) * 1000)::float8 as created_ms,
case when updated_at <> created_at then (extract(epoch from updated_at) * 1000)::float8 end as updated_ms from (select * from users  order by created_at desc, id desc limit $3) as users where search_text like '%' || search_fold($1) || '%' order by created_at desc, id desc limit $4
) as page on true;
select id, user_name, first_name, last_name, email, array_to_string(roles, ' ') as roles, status,
encode(avatar_hash, 'hex') as avatar_hash, subject, nullif(profile, '{}') as profile,
nullif(metadata, '{}') as metadata, email_verified, pending_email, version,
(extract(epoch from created_at) * 1000)::float8 as created_ms,
case when updated_at <> created_at then (extract(epoch from updated_at) * 1000)::float8 end as updated_ms from (select * from users  order by created_at desc, id desc limit $2) as users where search_text like '%' || search_fold($1) || '%' order by created_at desc, id desc limit $3;

-- GET /v1/users?q=&count=exact

-- GET /v1/users?count=estimated

-- GET /v1/auth/sessions
select s.id, to_char(s.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "createdAt", to_char(s.last_used_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "lastUsedAt",
s.user_agent as "userAgent", s.ip
from sessions s join users u on u.id = s.user_id where s.user_id = $1 and s.last_used_at > now() - make_interval(secs => $2) and s.created_at > now() - make_interval(secs => $3)
and u.status = 'active' and s.generation = u.session_generation
order by s.last_used_at desc, s.id desc limit 100;

-- GET /v1/audit
select event.id, to_char(event.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at, event.event, event.user_id as "userId",
coalesce(about.subject, about.id::text) as subject, event.caller, coalesce(caller.subject, caller.id::text) as "callerSubject", event.ip,
event.user_agent as "userAgent", event.request_id as "requestId", event.details
from (select * from audit_events
where ($2::text is null or event = $2) and ($3::uuid[] is null or user_id = any($3))
and ($4::timestamptz is null or at > $4) and ($5::timestamptz is null or at < $5)
and ($6::float8 is null or (at, id) < (to_timestamp($6 / 1000), $7::uuid))
order by audit_events.at desc, id desc limit $1) event
left join users about on about.id = event.user_id
left join users caller on caller.id = case when event.caller like 'user:%' then substr(event.caller, 6, 36)::uuid end
order by event.at desc, event.id desc;

-- GET /v1/auth/revocations
select id::text, kind, coalesce(name, subject::text) as subject,
nullif(generation, 2147483647) as below, cause, to_char(expires_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "expiresAt" from revocations
where id > $1 and xid >= $2::xid8 and expires_at > now() order by revocations.id limit $3;

-- GET /v1/messages
select id, max_reads, recipient_id, (extract(epoch from expires_at) * 1000)::float8 as expires_ms, (extract(epoch from created_at) * 1000)::float8 as created_ms, reads_left, reads, (extract(epoch from last_read_at) * 1000)::float8 as last_read_ms
from messages where sender = $1 and expires_at > now()
and ($3::float8 is null or (created_at, id) < (to_timestamp($3 / 1000), $4::uuid))
order by created_at desc, id desc limit $2;

-- GET /v1/messages/{token}
select asked::int, id, max_reads, recipient_id, (extract(epoch from expires_at) * 1000)::float8 as expires_ms, (extract(epoch from created_at) * 1000)::float8 as created_ms, reads_left,
case when max_reads is null then sealed_key end as sealed_key, case when max_reads is null then body end as body
from unnest($1::text[], $2::uuid[]) with ordinality as link (hash, reader_id, asked)
cross join lateral (
select * from messages where token_hash = decode(link.hash, 'hex') and expires_at > now() and (reads_left is null or reads_left > 0)
and (recipient_id is null or recipient_id = link.reader_id)
limit 1
) as message;

-- POST /v1/messages/{token}/reveal
with locked as (
select id, max_reads, recipient_id, (extract(epoch from expires_at) * 1000)::float8 as expires_ms, (extract(epoch from created_at) * 1000)::float8 as created_ms, sealed_key, body from messages
where token_hash = $1 and expires_at > now() and (reads_left is null or reads_left > 0) and (recipient_id is null or recipient_id = $2::uuid)
for update
), consumed as (
update messages link set reads_left = link.reads_left - 1, reads = link.reads + 1, last_read_at = now(), size = case when link.reads_left = 1 then 0 else link.size end, sealed_key = case when link.reads_left = 1 then null else link.sealed_key end, body = case when link.reads_left = 1 then null else link.body end
from locked where link.id = locked.id returning locked.*, link.reads_left as reads_left
), in_same_transaction as (insert into audit_events (id, event, user_id, caller, ip, user_agent, request_id, details)
select $3::uuid, $4::text, $5::uuid, $6::text, $7::text, $8::text, $9::text, jsonb_build_object('messageId', id) from consumed)
select * from consumed;

-- DELETE /v1/messages/{token}
with gone as (
delete from messages where token_hash = $1 and expires_at > now() and (reads_left is null or reads_left > 0) and (recipient_id is null or recipient_id = $2::uuid or sender = $3::text) returning id
), audit as (insert into audit_events (id, event, user_id, caller, ip, user_agent, request_id, details)
select $4::uuid, $5::text, $6::uuid, $7::text, $8::text, $9::text, $10::text, jsonb_build_object('messageId', id) from gone)
select id from gone;
