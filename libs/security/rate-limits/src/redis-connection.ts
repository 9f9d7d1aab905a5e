import { TurnBatch } from '#libs/platform/queues';

import { heartbeatScript, limitScript } from './limit-script.js';

/** What the limits ask of Redis. */
export type RedisConnection = {
  /**
   * One round trip for all calls of a turn of the event loop. The keys of one call are on one node
   * of a cluster.
   * @param requests one for each key, see `limitScript`
   * @returns for each allowed (1 or 0), used, ms to the end of the window, ms to wait, refused
   */
  limit(keys: readonly string[], requests: readonly string[]): Promise<readonly (readonly number[])[]>;
  /** Says that this replica lives. @returns how many do */
  beat(replicaId: string, aliveMs: number): Promise<number>;
  leave(replicaId: string): Promise<unknown>;
  /** Closes the connection at once; commands under way fail. */
  destroy(): void;
};

const replicasKey = 'gatehouse:replicas';
const connectTimeoutMs = 1_000;
/** They take 0.5 ms of Redis, which has one thread for all, and 1.5 ms when all are of IPv6. */
const requestsAtOnce = 64;
/** Numbers for each key in an answer of `limitScript`. */
const numbersEach = 5;

type LimitRequest = { readonly keys: readonly string[]; readonly requests: readonly string[] };

/**
 * Connects once and does not try again by itself: its owner does. Several URLs are nodes of a Redis
 * Cluster.
 * @throws when Redis does not answer within a second
 */
export async function connectRedis(urls: readonly string[]): Promise<RedisConnection> {
  // loading it takes 30 ms and some megabytes, which a service without Redis need not spend
  const { createClient, createCluster, defineScript } = await import('@redis/client');
  type Parser = { pushKey(key: string): void; push(...values: string[]): void };
  const script = <Reply>(SCRIPT: string, transformReply: (reply: unknown) => Reply) =>
    defineScript({
      SCRIPT,
      transformReply,
      parseCommand: (parser: Parser, keys: readonly string[], values: readonly string[]) => {
        parser.push(String(keys.length));
        for (const key of keys) parser.pushKey(key);
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
  const isCluster = urls.length > 1;
  const client = isCluster
    ? createCluster({ rootNodes: urls.map((url) => ({ url })), defaults: shared, scripts })
    : createClient({ ...shared, url: urls[0] ?? '', name: 'gatehouse', scripts });
  // a lost connection fails the commands, and an error that nobody listens to would end the process
  client.on('error', () => undefined);
  await orDestroy(client, client.connect());
  const limits = new TurnBatch(
    async (calls: readonly LimitRequest[]) => {
      const keys = calls.flatMap(({ keys }) => onOneNode(keys));
      const numbers = await client.limit(
        keys,
        calls.flatMap(({ requests }) => requests),
      );
      let from = 0;
      return calls.map(({ keys }) => keys.map(() => numbers.slice(from, (from += numbersEach))));
    },
    // keys of one command must be on one node
    isCluster ? 1 : requestsAtOnce,
  );
  return {
    limit: (keys, requests) => limits.ask({ keys, requests }),
    beat: (replicaId, aliveMs) => client.heartbeat([replicasKey], [replicaId, String(aliveMs)]),
    leave: (replicaId) => client.zRem(replicasKey, replicaId),
    destroy: () => destroy(client),
  };
}

/** The text in braces decides the node: it is the widest key of the call, which is the last. */
function onOneNode(keys: readonly string[]): readonly string[] {
  const last = keys.at(-1);
  return keys.map((key) => `gatehouse:limit:{${last}}${key === last ? '' : key}`);
}

const toNumbers = (reply: unknown): readonly number[] => (Array.isArray(reply) ? reply.map(Number) : []);

type Destroyable = { destroy(): void };

/** A paused Redis accepts the connection and never answers the greeting. */
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
    // it was closed already
  }
}
