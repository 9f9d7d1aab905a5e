import { expect, test } from 'vitest';

import { DatabaseUrlError, parseDatabaseUrl } from './database-url.js';

const here = 'postgres://ada:secret@db.example.org/gatehouse';

test.for([
  ['postgres://ada@db', [{ host: 'db', port: 5432 }]],
  ['postgresql://ada@db:6432/x', [{ host: 'db', port: 6432 }]],
  ['postgres://ada@[::1]:5433/x', [{ host: '::1', port: 5433 }]],
  ['postgres://ada@[2001:db8::1]/x', [{ host: '2001:db8::1', port: 5432 }]],
  [
    'postgres://ada@a:1,b,[::1]:3/x',
    [
      { host: 'a', port: 1 },
      { host: 'b', port: 5432 },
      { host: '::1', port: 3 },
    ],
  ],
  ['postgres:///x?host=/run/postgresql', [{ host: '/run/postgresql', port: 5432 }]],
  ['postgres://ada@%2Frun%2Fpostgresql:6432/x', [{ host: '/run/postgresql', port: 6432 }]],
  [
    'postgres:///x?host=a,b&port=7',
    [
      { host: 'a', port: 7 },
      { host: 'b', port: 7 },
    ],
  ],
  ['postgres:///x', [{ host: 'localhost', port: 5432 }]],
] as const)('%s goes to these hosts', ([url, hosts]) => {
  expect(parseDatabaseUrl(url).hosts).toEqual(hosts);
});

test('credentials and the name of the database are taken as they were encoded', () => {
  expect(parseDatabaseUrl('postgres://a%40b:p%2F%3a%23@ss@h/d%20b')).toMatchObject({
    user: 'a@b',
    password: 'p/:#@ss',
    database: 'd b',
  });
  expect(parseDatabaseUrl('postgres://h/?user=ada&password=x%26y&dbname=z')).toMatchObject({
    user: 'ada',
    password: 'x&y',
    database: 'z',
  });
});

test.for([
  ['', 'disable'],
  ['sslmode=disable', 'disable'],
  ['sslmode=prefer', 'prefer'],
  ['sslmode=require', 'require'],
  ['sslmode=no-verify', 'no-verify'],
  // libpq: an authority that is named is looked at
  ['sslmode=require&sslrootcert=ca.crt', 'verify-ca'],
  ['sslmode=verify-ca&sslrootcert=ca.crt', 'verify-ca'],
  ['sslmode=verify-full', 'verify-full'],
  ['sslmode=verify-full&sslrootcert=system', 'verify-full'],
  ['ssl=true', 'verify-full'],
  ['ssl=no-verify', 'no-verify'],
])('?%s means %s', ([query, mode]) => {
  expect(parseDatabaseUrl(`${here}?${query}`).tls.mode).toBe(mode);
});

test('what a connection may ask for beside its address is kept', () => {
  const query = 'application_name=one&options=-c%20search_path%3Dx&connect_timeout=7&pgbouncer=true';
  expect(parseDatabaseUrl(`${here}?${query}`)).toMatchObject({
    applicationName: 'one',
    options: '-c search_path=x',
    connectTimeoutMs: 7_000,
    isPooled: true,
  });
});

test.for([
  ['sslmode=on', 'sslmode'],
  ['sslmode=verify-ca', 'sslrootcert'],
  ['sslrootcert=ca.crt', 'sslmode'],
  ['sslmode=require&sslrootcert=system', 'sslmode=verify-full'],
  ['sslmode=require&sslcert=a.crt', 'sslkey'],
  ['sslmode=require&ssl=true', 'sslmode'],
  ['sslmode=require&host=/run/postgresql', 'socket'],
  ['sslnegotiation=direct', 'sslmode'],
  ['sslcrl=x', 'sslcrl'],
  ['gssencmode=require', 'gssencmode'],
  ['channel_binding=require', 'channel_binding'],
  ['target_session_attrs=standby', 'target_session_attrs'],
  ['connection_limit=5', 'DATABASE_POOL_SIZE'],
  ['schema=x', 'search_path'],
  ['options=-c%20statement_timeout%3D0', 'statement_timeout'],
  ['options=--default-transaction-read-only%3Don', 'read'],
  ['client_encoding=LATIN1', 'client_encoding'],
  ['connect_timeout=soon', 'connect_timeout'],
  ['port=70000', 'port'],
  ['port=1,2', 'ports'],
  ['hunter2=x', 'parameter'],
])('?%s is refused with a word on %s, and the password is not in it', ([query, word]) => {
  const parse = (): unknown => parseDatabaseUrl(`${here}?${query}`);
  expect(parse).toThrow(DatabaseUrlError);
  expect(parse).toThrow(word);
  expect(parse).not.toThrow(/secret|hunter2/);
});

test.for([
  'mysql://ada@db/x',
  'hunter2',
  'postgres://a:b#c@h/x',
  'postgres://a:b/c@h/x',
  'postgres://a:50%@h/x',
  'postgres://h:x/d',
])('%s is no URL that can be read', (url) => {
  expect(() => parseDatabaseUrl(url)).toThrow(DatabaseUrlError);
});
