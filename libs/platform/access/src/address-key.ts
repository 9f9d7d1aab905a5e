import { isIPv6 } from 'node:net';

/**
 * How much of an IPv6 address is counted, narrowest first. A network has one /64, a household is
 * given a /56 (256 of them), a company a /48 (RFC 6177): each is counted too, under a limit of a
 * few households or companies, so that whoever has many networks does not have as many limits.
 */
export const addressWidths = [
  { bits: 64, factor: 1 },
  { bits: 56, factor: 4 },
  { bits: 48, factor: 16 },
] as const;

/**
 * What an address is counted under, narrowest first: IPv4 as it is, IPv6 by each of
 * `addressWidths`.
 */
export function addressKeys(address: string): readonly string[] {
  if (!isIPv6(address)) return [address];
  const groups = groupsOf(address);
  // the well-known prefix of NAT64 (RFC 6052 §2.1) has an IPv4 client behind each address
  if (groups.slice(0, 6).join(':') === '64:ff9b:0:0:0:0') return [toIPv4(groups.slice(6))];
  return addressWidths.map(({ bits }) => `${prefixOf(groups, bits).join(':')}::/${bits}`);
}

function groupsOf(address: string): readonly string[] {
  const [head = '', tail = ''] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === '' ? [] : tail.split(':');
  const groups = address.includes('::')
    ? [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right]
    : left;
  return groups.map((group) => Number.parseInt(group, 16).toString(16));
}

/** The groups that a prefix reaches into, with nothing in the last one of what is behind it. */
const prefixOf = (groups: readonly string[], bits: number): readonly string[] =>
  groups.slice(0, Math.ceil(bits / 16)).map((group, at) => {
    const kept = Math.min(16, bits - at * 16);
    return (Number.parseInt(group, 16) & (0xff_ff << (16 - kept)) & 0xff_ff).toString(16);
  });

const toIPv4 = (groups: readonly string[]): string =>
  groups
    .map((group) => Number.parseInt(group, 16))
    .flatMap((value) => [value >> 8, value & 0xff])
    .join('.');
