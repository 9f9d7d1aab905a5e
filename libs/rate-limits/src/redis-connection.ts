import { heartbeatScript, limitScript } from './limit-script.js';

/** What the limits ask of Redis: each call is one command, one round trip. */
export type RedisConnection = {
  /** @returns allowed (1 or 0), used, ms to the end of the window, ms to wait, refused */
  limit(key: string, values: readonly string[]): Promise<readonly number[]>;
  /** Says that this replica lives. @returns how many do */
  beat(replicaId: string, aliveMs: number): Promise<number>;
  leave(replicaId: string): Promise<unknown>;
  /** At once; what is under way fails. */
  destroy(): void;
};

const replicasKey = 'gatehouse:replicas';
const connectTimeoutMs = 1_000;

/**
 * Connects once and does not try again by itself: its owner does. Several URLs are nodes of a Redis Cluster.
 * @throws when Redis does not answer within a second
 */
export async function connectRedis(urls: readonly string[]): Promise<RedisConnection> {
  // 30 ms and some megabytes that a service without Redis need not spend
  const { createClient, createCluster, defineScript } = await import('@redis/client');
  type Parser = { pushKey(key: string): void; push(...values: string[]): void };
  const script = <Reply>(SCRIPT: string, transformReply: (reply: unknown) => Reply) =>
    defineScript({
      SCRIPT,
      NUMBER_OF_KEYS: 1,
      transformReply,
      parseCommand: (parser: Parser, key: string, values: readonly string[]) => {
        parser.pushKey(key);
        parser.push(...values);
      },
    });
  const scripts = { limit: script(limitScript, toNumbers), heartbeat: script(heartbeatScript, Number) };
  const socket = { connectTimeout: connectTimeoutMs, reconnectStrategy: false, noDelay: true } as const;
  const shared = {
    socket,
    disableOfflineQueue: true,
    maintNotifications: 'disabled',
    disableClientInfo: true,
  } as const;
  const client =
    urls.length > 1
      ? createCluster({ rootNodes: urls.map((url) => ({ url })), defaults: shared, scripts })
      : createClient({ ...shared, url: urls[0] ?? '', name: 'gatehouse', scripts });
  // a lost connection fails the commands, and an error that nobody listens to would end the process
  client.on('error', () => undefined);
  await orDestroy(client, client.connect());
  return {
    limit: (key, values) => client.limit(`gatehouse:limit:{${key}}`, values),
    beat: (replicaId, aliveMs) => client.heartbeat(replicasKey, [replicaId, String(aliveMs)]),
    leave: (replicaId) => client.zRem(replicasKey, replicaId),
    destroy: () => destroy(client),
  };
}

const toNumbers = (reply: unknown): readonly number[] => (Array.isArray(reply) ? reply.map(Number) : []);

type Destroyable = { destroy(): void };

/** A Redis that is paused takes the connection and never answers the greeting. */
async function orDestroy(client: Destroyable, connecting: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('Redis did not answer in time')), connectTimeoutMs);
  });
  try {
    await Promise.race([connecting, late]);
  } catch (error) {
    connecting.catch(() => undefined);
    destroy(client);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function destroy(client: Destroyable): void {
  try {
    client.destroy();
  } catch {
    // it was closed already, which is what is wanted
  }
}
