import { TurnBatch } from '#libs/platform/work-queue';

import { heartbeatScript, limitScript } from './limit-script.js';

/** What the limits ask of Redis. */
export type RedisConnection = {
  /** One round trip, for all that ask in the same turn of the event loop. @param request see `limitScript` @returns allowed (1 or 0), used, ms to the end of the window, ms to wait, refused */
  limit(key: string, request: string): Promise<readonly number[]>;
  /** Says that this replica lives. @returns how many do */
  beat(replicaId: string, aliveMs: number): Promise<number>;
  leave(replicaId: string): Promise<unknown>;
  /** At once; what is under way fails. */
  destroy(): void;
};

const replicasKey = 'gatehouse:replicas';
const connectTimeoutMs = 1_000;
/** Half a millisecond of Redis, which has one thread for all. */
const keysAtOnce = 64;
/** Of one key in an answer of the limits. */
const numbersEach = 5;

type Asked = { readonly key: string; readonly request: string };

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
    async (asked: readonly Asked[]) => {
      const keys = asked.map(({ key }) => `gatehouse:limit:{${key}}`);
      const requests = asked.map(({ request }) => request);
      const numbers = await client.limit(keys, requests);
      return asked.map((_, at) => numbers.slice(at * numbersEach, (at + 1) * numbersEach));
    },
    // keys of one command must be on one node
    isCluster ? 1 : keysAtOnce,
  );
  return {
    limit: (key, request) => limits.ask({ key, request }),
    beat: (replicaId, aliveMs) => client.heartbeat([replicasKey], [replicaId, String(aliveMs)]),
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
