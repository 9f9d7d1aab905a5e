import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv6, SocketAddress } from 'node:net';

declare module 'fastify' {
  interface FastifyRequest {
    /**
     * The address of the client, which is always one: what limits, sessions, audit rows and the log
     * are told.
     */
    clientAddress: string;
  }
  interface FastifyInstance {
    /** The same for a request that Fastify has not made one of its own of. */
    clientAddressOf(request: IncomingMessage): string;
  }
}

/**
 * RFC 4291 §2.5.2: "indicates the absence of an address", here of a socket that has closed already.
 */
const noAddress = '::';
/**
 * A proxy adds one entry. Longer chains of our own proxies do not exist; longer lists are an
 * attacker's.
 */
const hopLimit = 32;
/** The longest spelling: 39 characters of IPv6 with a zone, brackets, a port and quotes around. */
const longestEntry = 80;

/**
 * Finds the address of a request's client. `X-Forwarded-For` counts as far as trusted proxies wrote
 * it: it is read from its end, an entry for each proxy. What is no address is not taken, and the
 * proxy that said so counts instead: whatever stands before it may be the client's own invention.
 */
export function clientAddressFinder(trusted: readonly string[]): (request: IncomingMessage) => string {
  if (trusted.length === 0) return remoteAddress;
  const isTrusted = isListed(trusted);
  return (request) => {
    const remote = remoteAddress(request);
    // Node joins several lines with commas
    const header = request.headers['x-forwarded-for'];
    return typeof header === 'string' ? lastUntrusted(remote, header, isTrusted) : remote;
  };
}

function remoteAddress({ socket: { remoteAddress = '' } }: IncomingMessage): string {
  const isPlain = remoteAddress !== '' && !remoteAddress.includes(':');
  return isPlain ? remoteAddress : (parseAddress(remoteAddress) ?? noAddress);
}

function lastUntrusted(remote: string, header: string, isTrusted: (address: string) => boolean): string {
  let address = remote;
  let end = header.length;
  for (let hop = 0; hop < hopLimit && end > 0 && isTrusted(address); hop++) {
    const start = header.lastIndexOf(',', end - 1);
    const entry = header.slice(start + 1, end).trim();
    end = start;
    // RFC 9110 §5.6.1.2: empty elements of a list are skipped
    if (entry === '') continue;
    const found = parseAddress(entry);
    if (found === undefined) return address;
    address = found;
  }
  return address;
}

/**
 * An address as proxies write it, in its one canonical spelling (RFC 5952): without port (Azure's
 * gateway), brackets, quotes and zone, and IPv4 as such where it is mapped into IPv6 (RFC 4291
 * §2.5.5.2). Nothing for what is no address.
 */
export function parseAddress(text: string): string | undefined {
  if (text.length > longestEntry) return undefined;
  const bare = withoutZone(withoutPort(text));
  const version = isIP(bare);
  if (version === 0) return undefined;
  if (version === 4) return bare;
  const { address } = new SocketAddress({ address: bare, family: 'ipv6' });
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(address)?.[1] ?? address;
}

function withoutPort(text: string): string {
  const unquoted = /^"(.*)"$/.exec(text)?.[1] ?? text;
  return (
    /^\[([^\]]*)\](?::\d{1,5})?$/.exec(unquoted)?.[1] ??
    /^(\d+\.\d+\.\d+\.\d+):\d{1,5}$/.exec(unquoted)?.[1] ??
    unquoted
  );
}

/** RFC 4007 §11: a zone means something on its own machine only. */
const withoutZone = (text: string): string => /^([^%]+)%[\w.~-]+$/.exec(text)?.[1] ?? text;

/** Names that Express and Fastify know for address ranges. */
const named: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.1/8', '::1/128'],
  linklocal: ['169.254.0.0/16', 'fe80::/10'],
  uniquelocal: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
};

/** Whether an address is one of these, given as addresses, CIDRs or the names of ranges. */
export function isListed(texts: readonly string[]): (address: string) => boolean {
  const list = toBlockList(texts);
  return (address) => list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

function toBlockList(texts: readonly string[]): BlockList {
  const list = new BlockList();
  for (const text of texts.flatMap((each) => named[each] ?? [each])) {
    const [network = '', prefix] = text.split('/');
    const family = isIPv6(network) ? 'ipv6' : 'ipv4';
    if (prefix === undefined) list.addAddress(network, family);
    else list.addSubnet(network, Number(prefix), family);
  }
  return list;
}
