/**
 * How the connection is protected, in libpq's words; `no-verify` is node-pg's name for `require`
 * without a certificate.
 */
export type TlsMode = (typeof tlsModes)[number];

export type DatabaseHost = { readonly host: string; readonly port: number };

/**
 * What a connection URL asks for: every connection of the service is made of this and of nothing
 * else.
 */
export type DatabaseTarget = {
  /** Tried in this order; a host that begins with `/` is the folder of a Unix socket. */
  readonly hosts: readonly DatabaseHost[];
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly database: string | undefined;
  readonly tls: {
    readonly mode: TlsMode;
    /** Files. Absent: Node's own certificate authorities. */
    readonly rootCertificate: string | undefined;
    readonly certificate: string | undefined;
    readonly key: string | undefined;
    readonly negotiation: 'postgres' | 'direct';
  };
  /**
   * Whether a pooler in transaction mode stands between: nothing of a session lasts longer than a
   * transaction.
   */
  readonly isPooled: boolean;
  readonly applicationName: string | undefined;
  /** Command-line options of the server, such as `-c search_path=gatehouse`. */
  readonly options: string | undefined;
  readonly connectTimeoutMs: number | undefined;
};

const tlsModes = ['disable', 'allow', 'prefer', 'require', 'no-verify', 'verify-ca', 'verify-full'] as const;
const defaultPort = 5_432;

/**
 * What parameters may say: any text, or one of these words. Any other parameter is refused by its
 * name.
 */
const parameters: Readonly<Record<string, 'text' | readonly string[]>> = {
  host: 'text',
  port: 'text',
  user: 'text',
  password: 'text',
  dbname: 'text',
  sslmode: tlsModes,
  // node-pg's and JDBC's way to ask for TLS
  ssl: ['true', '1', 'false', '0', 'no-verify'],
  sslrootcert: 'text',
  sslcert: 'text',
  sslkey: 'text',
  sslnegotiation: ['postgres', 'direct'],
  uselibpqcompat: ['true'],
  gssencmode: ['disable', 'prefer'],
  channel_binding: ['disable', 'prefer'],
  target_session_attrs: ['any', 'read-write', 'primary'],
  load_balance_hosts: ['disable'],
  pgbouncer: ['true', 'false'],
  application_name: 'text',
  fallback_application_name: 'text',
  options: 'text',
  connect_timeout: 'text',
  client_encoding: ['UTF8', 'utf8', 'UTF-8', 'utf-8', 'auto'],
  keepalives: ['1'],
};

/**
 * What the session sets by itself (`session-settings.ts`), so that an option of the URL would be
 * lost.
 */
const ownSettings =
  /(?:-c\s*|--)(datestyle|timezone|intervalstyle|bytea[_-]output|extra[_-]float[_-]digits|client[_-]encoding|standard[_-]conforming[_-]strings|default[_-]transaction[_-](?:isolation|deferrable|read[_-]only)|statement[_-]timeout|lock[_-]timeout|idle[_-]in[_-]transaction[_-]session[_-]timeout|transaction[_-]timeout)\s*=/i;

/**
 * Why a URL cannot be used, in words that go on from the variable's name and tell nothing of its
 * value.
 */
export class DatabaseUrlError extends Error {
  override readonly name = 'DatabaseUrlError';
}

/**
 * Reads a connection URL as libpq does: several hosts, sockets, IPv6 in brackets, TLS. WHATWG URLs
 * know no host lists.
 * @throws DatabaseUrlError for what is no URL, and for whatever it asks that this service does not
 * do
 */
export function parseDatabaseUrl(url: string): DatabaseTarget {
  const parts = /^postgres(?:ql)?:\/\/(?:([^/?#]*)@)?([^/?#@]*)(?:\/([^/?#@]*))?(?:\?([^#]*))?$/.exec(url);
  if (!parts) {
    throw new DatabaseUrlError('must be a postgres:// URL; `/`, `?` and `#` in a password are %2F, %3F and %23');
  }
  const [, userInfo = '', authority = '', path = '', query = ''] = parts;
  const asked = parametersOf(query);
  const [user = '', ...password] = userInfo.split(':');
  const options = asked.get('options');
  assertOptions(options);
  const hosts = hostsOf(asked.get('host') ?? authority, asked.get('port'));
  const tls = tlsOf(asked);
  if (isPromised(tls.mode) && hosts.some(({ host }) => host.startsWith('/'))) {
    throw new DatabaseUrlError('asks for TLS through a socket, which has none: leave sslmode out');
  }
  return {
    hosts,
    user: asked.get('user') ?? (decoded(user) || undefined),
    password: asked.get('password') ?? (decoded(password.join(':')) || undefined),
    database: asked.get('dbname') ?? (decoded(path) || undefined),
    tls,
    isPooled: asked.get('pgbouncer') === 'true',
    applicationName: asked.get('application_name') ?? asked.get('fallback_application_name'),
    options,
    connectTimeoutMs: connectTimeoutOf(asked.get('connect_timeout')),
  };
}

function parametersOf(query: string): ReadonlyMap<string, string> {
  const asked = new Map<string, string>();
  for (const pair of query.split('&').filter(Boolean)) {
    const equals = pair.indexOf('=');
    const name = decoded(equals < 0 ? pair : pair.slice(0, equals));
    const value = equals < 0 ? '' : decoded(pair.slice(equals + 1));
    const allowed = parameters[name];
    if (!allowed)
      throw new DatabaseUrlError(`asks for ${printable(name)}, which this service does not know${hint(name)}`);
    if (allowed !== 'text' && !allowed.includes(value)) {
      throw new DatabaseUrlError(`has a ${name} that this service does not know: it takes ${allowed.join(', ')}`);
    }
    asked.set(name, value);
  }
  return asked;
}

const hint = (name: string): string => {
  if (name === 'schema' || name === 'currentSchema' || name === 'search_path')
    return ': write options=-c%20search_path%3DNAME';
  return name === 'connection_limit' || name === 'pool_timeout' ? ': see DATABASE_POOL_SIZE' : '';
};

/**
 * Host names, IPv6 in brackets, or folders of sockets, each with a port of its own or with one for
 * all.
 */
function hostsOf(text: string, portText: string | undefined): readonly DatabaseHost[] {
  const ports = portText?.split(',');
  const names = text.split(',');
  if (ports && ports.length !== 1 && ports.length !== names.length) {
    throw new DatabaseUrlError('has another number of ports than of hosts');
  }
  return names.map((name, at) => {
    const parts = /^(?:\[([^\]]+)\]|([^:[\]]*)|([0-9a-f]*:[0-9a-f]*:[0-9a-f:]*))(?::(\d*))?$/i.exec(name);
    if (!parts) throw new DatabaseUrlError('has a host that cannot be read; an IPv6 address stands in brackets');
    const host = decoded(parts[1] ?? parts[2] ?? parts[3] ?? '') || 'localhost';
    return { host, port: portOf(parts[4] ?? ports?.[at] ?? ports?.[0]) };
  });
}

function portOf(text: string | undefined): number {
  if (!text) return defaultPort;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new DatabaseUrlError('has a port that is none');
  return port;
}

function tlsOf(asked: ReadonlyMap<string, string>): DatabaseTarget['tls'] {
  const mode = modeOf(asked.get('sslmode'), asked.get('ssl'), asked.has('sslrootcert'));
  const root = asked.get('sslrootcert');
  const negotiation = asked.get('sslnegotiation') === 'direct' ? 'direct' : 'postgres';
  if (mode === 'verify-ca' && !root) throw new DatabaseUrlError('has sslmode=verify-ca, which needs sslrootcert');
  if (root === 'system' && mode !== 'verify-full') {
    throw new DatabaseUrlError('has sslrootcert=system, which needs sslmode=verify-full');
  }
  if (asked.has('sslcert') !== asked.has('sslkey')) throw new DatabaseUrlError('needs sslcert and sslkey together');
  if (negotiation === 'direct' && !isPromised(mode)) {
    throw new DatabaseUrlError('has sslnegotiation=direct, which needs sslmode=require or a stricter one');
  }
  const files = { certificate: asked.get('sslcert'), key: asked.get('sslkey') };
  return { mode, rootCertificate: root === 'system' ? undefined : root, ...files, negotiation };
}

function modeOf(sslmode: string | undefined, ssl: string | undefined, hasRoot: boolean): TlsMode {
  const asked = tlsModes.find((mode) => mode === sslmode) ?? aliases[ssl ?? ''];
  if (sslmode !== undefined && ssl !== undefined) throw new DatabaseUrlError('has both sslmode and ssl: keep sslmode');
  if (asked === undefined && hasRoot) throw new DatabaseUrlError('has sslrootcert without sslmode');
  // libpq: whoever names a certificate authority means it to be looked at
  return asked === 'require' && hasRoot ? 'verify-ca' : (asked ?? 'disable');
}

/** Whether there is TLS or no connection. */
const isPromised = (mode: TlsMode): boolean => !['disable', 'allow', 'prefer'].includes(mode);

const aliases: Readonly<Record<string, TlsMode>> = {
  true: 'verify-full',
  '1': 'verify-full',
  false: 'disable',
  '0': 'disable',
  'no-verify': 'no-verify',
};

function assertOptions(options: string | undefined): void {
  const own = ownSettings.exec(options ?? '')?.[1];
  if (own) throw new DatabaseUrlError(`sets ${own} by options, which this service sets itself`);
}

function connectTimeoutOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,4}$/.test(text)) throw new DatabaseUrlError('has a connect_timeout that is no number of seconds');
  return text === '0' ? undefined : Number(text) * 1_000;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new DatabaseUrlError('has a % that is no escape: in a password it is %25');
  }
}

/** A name that was mistyped may be a secret that begins with `?` or `&`. */
const printable = (name: string): string => (/^[a-zA-Z_]{1,40}$/.test(name) ? name : 'a parameter');
