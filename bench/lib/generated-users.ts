/**
 * Everyday names of several scripts. Which ones a user gets is skewed, as in
 * life: some names are everybody's.
 */
const firstNames =
  'Maria,Anna,Ali,José,Wei,Elena,David,Fatima,Ivan,Chen,Sofia,Omar,Marta,Luca,Nina,Peter,Aisha,Jan,Olga,Paul,Lucía,Emil,Hana,Noah,Zoë,Igor,Mei,Carlos,Eva,Tom,Priya,Jürgen,Sara,Hugo,Leila,Max,Ines,Karl,Yuki,Ada,Grace,Alan,Edith,Bruno,Chloé,Dmitri,Freya,Günter,Håkon,Iris,Søren,Анна,Иван,Ольга,Νίκος,Ελένη,王伟,李娜,محمد,יעל';
const lastNameRoots =
  'Schmidt,Garcia,Li,Ivanov,Kim,Nguyen,Smith,Rossi,Novak,Silva,Müller,Khan,Papadop,Kowal,Andersson,Dubois,Tanaka,Okafor,Haddad,Popescu,Horvat,Jansen,Lovelace,Hopper,Turing,Noether,Curie,Bohr,Dirac,Fermi,Gauss,Euler,Abel,Galois,Hilbert,Cantor,Lindqvist,Petersen,Björk,Castillo,Moreno,Vargas,Quispe,Mbeki,Nkosi,Oyelaran,Singh,Patel,Sharma,Иванов,Петров';
const lastNameEnds = ',son,ski,mann,ova,ez,berg,quist,stein,ini,well,ford,ley,ton,field,worth,wood,man,ides,ić';

/**
 * SQL that inserts `$1` users with ids, names and times as real ones have them: `$2` is the hash
 * of their password. They come in the order of their creation, one every 150 s, up to now; every
 * 200th is deactivated and every 5000th an administrator; 3 of 4 have an e-mail address. The
 * same count makes the same names. With profiles, the first seven have one that nobody else has,
 * and every fifth has another that is common; without, it fits versions that have none.
 */
export const insertUsers = (profiles: 'with-profiles' | 'without-profiles'): string => `with lists as (
    select string_to_array('${firstNames}', ',') as firsts, string_to_array('${lastNameRoots}', ',') as roots,
      string_to_array('${lastNameEnds}', ',') as ends
  ), chosen as (
    select n, hashint8extended(n, 1) & 1048575 as a, hashint8extended(n, 2) & 1048575 as b,
      hashint8extended(n, 3) & 1048575 as c, date_trunc('ms', now() - make_interval(secs => 150.0 * ($1::int - n))) as at
    from generate_series(1, $1::int) as n
  ), named as (
    select n, at,
      firsts[1 + (a::float8 * a / 1048576 / 1048576 * cardinality(firsts))::int % cardinality(firsts)] as first_name,
      roots[1 + (b::float8 * b / 1048576 / 1048576 * cardinality(roots))::int % cardinality(roots)]
        || ends[1 + (c % cardinality(ends))::int] as last_name
    from chosen, lists
  ), handled as (
    select *, case when first_name ~ '^[A-Za-z]+$' and last_name ~ '^[A-Za-z]+$'
      then lower(first_name || '.' || last_name) else 'user' end || n as user_name from named
  )
  insert into users (id, user_name, user_name_key, first_name, last_name, email, email_key, roles, status,
    password_hash, created_at, updated_at${profiles === 'with-profiles' ? ', profile' : ''})
  select overlay(overlay(lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0')
      || md5(n::text) placing '7' from 13) placing 'b' from 17)::varchar(32)::uuid,
    user_name, user_name, first_name, last_name,
    case when n % 4 > 0 then user_name || '@example.org' end, case when n % 4 > 0 then user_name || '@example.org' end,
    case when n % 5000 = 0 then '{user,admin}'::text[] else '{user}' end,
    case when n % 200 = 0 then 'deactivated' else 'active' end, $2::text, at, at
    ${profiles === 'with-profiles' ? profileOf : ''}
  from handled order by n`;

const profileOf = `, case when n < 8 then '{"department":"rare"}' when n % 5 = 0 then '{"department":"sales"}'
    else '{}' end::jsonb`;
