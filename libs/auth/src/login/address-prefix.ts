import { isIPv6 } from 'node:net';

/** The first bits of an IPv6 address; an IPv4 address as it is, also when it is written as IPv6. */
export function addressPrefix(ip: string, bits: number): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(ip)) return ip;
  const [head = '', tail = ''] = (ip.split('%', 1)[0] ?? '').split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === '' ? [] : tail.split(':');
  const groups = [...left, ...Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0'), ...right];
  const binary = groups.map((group) => Number.parseInt(group, 16).toString(2).padStart(16, '0')).join('');
  return `${binary.slice(0, bits)}/${bits}`;
}
