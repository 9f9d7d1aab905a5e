import { TLSSocket } from 'node:tls';

import pg from 'pg';

import type { DatabaseHost, DatabaseTarget } from '#libs/platform/config';

import { connectionTls } from './connection-tls.js';
import { ConnectionError } from './database-errors.js';
import { prepareSession, type TimeLimits } from './session-settings.js';

/** How one kind of connection is made. */
export type ConnectionPlan = {
  /** Asked for each new connection: the file that the URL came from may have changed. */
  readonly target: () => Promise<DatabaseTarget>;
  /** Behind the application's name, so that `pg_stat_activity` tells the connections apart. */
  readonly nameSuffix: string;
  readonly isPooled: boolean;
  readonly limits: TimeLimits;
  readonly timeoutMs: number;
  /** Which of several hosts took writes last time: it is tried first. */
  readonly last: { host?: string };
};

/** What a connection has become, for the log. */
export type ConnectionFacts = {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  /** The protocol's version and how the server was verified, or `off`. */
  readonly tls: string;
  readonly pooled: boolean;
};

type OnConnected = ((error: Error) => void) | ((error: null, client: pg.Client) => void);

const readOnlyState = '25006';

/**
 * Every connection to PostgreSQL is one of these: to the same host, by the same TLS, with the same
 * session.
 */
export class DatabaseClient extends pg.Client {
  facts: ConnectionFacts;
  /** It came from a time when the server took no writes: it must not go back to the pool. */
  isSpent = false;

  constructor(
    private readonly plan: ConnectionPlan,
    options: pg.ClientConfig = {},
  ) {
    super({ connectionTimeoutMillis: plan.timeoutMs, keepAlive: true, ...options });
    this.facts = { host: '', port: 0, database: '', user: '', tls: 'off', pooled: plan.isPooled };
    // one that is lost while nobody listens would end the process
    this.on('error', () => undefined);
    connectionOf(this).on('errorMessage', ({ code }) => {
      this.isSpent ||= code === readOnlyState;
    });
  }

  override connect(): Promise<pg.Client>;
  override connect(callback: OnConnected): void;
  override connect(callback?: OnConnected): Promise<pg.Client> | undefined {
    const opened = this.#open();
    if (!callback) return opened.then(() => this);
    const tell = (...outcome: readonly unknown[]): unknown => Reflect.apply(callback, undefined, outcome);
    opened.then(() => tell(null, this), tell);
    return undefined;
  }

  async #open(): Promise<void> {
    const { plan } = this;
    let where = 'DATABASE_URL';
    try {
      const target = await plan.target();
      const host = await choose(plan, target);
      where = nameOf(host);
      await this.#aim(target, host);
      await super.connect();
      this.facts = { ...this.facts, tls: protocolOf(this, target) };
      await prepareSession(this, { isPooled: plan.isPooled, limits: plan.limits, options: target.options });
    } catch (error) {
      this.end().catch(() => undefined);
      throw new ConnectionError(where, error);
    }
  }

  /** pg takes the address, the credentials and the TLS when it connects, not when it is made. */
  async #aim(target: DatabaseTarget, { host, port }: DatabaseHost): Promise<void> {
    const user = target.user ?? this.user ?? '';
    const database = target.database ?? user;
    const security = {
      ssl: await connectionTls(target, { host, port }, this.plan.timeoutMs),
      sslNegotiation: target.tls.negotiation,
    };
    Object.assign(this, { host, port, user, database, ...security });
    if (target.password !== undefined) Object.assign(this, { password: target.password });
    Object.assign(connectionOf(this), security);
    const application_name = `${target.applicationName ?? 'gatehouse'}${this.plan.nameSuffix}`;
    Object.assign(startupOf(this), { user, database, application_name });
    if (target.options !== undefined) Object.assign(startupOf(this), { options: target.options });
    this.facts = { ...this.facts, host, port, database, user };
  }
}

/** The class of a pool's connections: pg makes them from nothing but the pool's options. */
export function clientClass(plan: ConnectionPlan): new (options?: pg.ClientConfig) => DatabaseClient {
  return class extends DatabaseClient {
    constructor(options?: pg.ClientConfig) {
      super(plan, options);
    }
  };
}

/** Of several hosts the first that takes writes, from the one that did last time on. */
async function choose(plan: ConnectionPlan, target: DatabaseTarget): Promise<DatabaseHost> {
  const rank = (host: DatabaseHost): number => (nameOf(host) === plan.last.host ? 0 : 1);
  const [first, ...others] = target.hosts.toSorted((left, right) => rank(left) - rank(right));
  if (!first) throw new Error('there is no host');
  if (others.length === 0) return first;
  const timeoutMs = plan.timeoutMs / (target.hosts.length + 1);
  const failures: string[] = [];
  for (const host of [first, ...others]) {
    const probe = new DatabaseClient({ ...plan, timeoutMs, target: async () => ({ ...target, hosts: [host] }) });
    try {
      await probe.connect();
      await probe.end();
      plan.last.host = nameOf(host);
      return host;
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw new Error(failures.join('; '));
}

const nameOf = ({ host, port }: DatabaseHost): string => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`);

function protocolOf(client: pg.Client, { tls }: DatabaseTarget): string {
  const { stream } = connectionOf(client);
  return stream instanceof TLSSocket ? `${stream.getProtocol() ?? 'TLS'}, ${tls.mode}` : 'off';
}

type Wire = {
  readonly stream: unknown;
  on(event: 'errorMessage', listener: (message: { readonly code?: string }) => void): unknown;
};

const isWire = (value: unknown): value is Wire => typeof value === 'object' && value !== null && 'stream' in value;

/** Parts of `pg.Client` that its types do not tell of. */
function connectionOf(client: pg.Client): Wire {
  const connection: unknown = Reflect.get(client, 'connection');
  if (!isWire(connection)) throw new Error('This pg has no connection');
  return connection;
}

function startupOf(client: pg.Client): object {
  const startup: unknown = Reflect.get(client, 'connectionParameters');
  if (typeof startup !== 'object' || startup === null) throw new Error('This pg has no connection parameters');
  return startup;
}
