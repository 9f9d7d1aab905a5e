import type { IncomingMessage } from 'node:http';

/**
 * RFC 9112 §3.2.2: who sends the absolute form means its authority, whatever `Host` says, and
 * servers must take it.
 */
const absoluteForm = /^https?:\/\/([^/?#]*)(.*)$/i;
/**
 * `host [":" port]` of RFC 3986 §3.2.2: a name, IPv4, or IPv6 in brackets. No user information,
 * nothing empty.
 */
const authority = /^(?:\[[0-9a-f:.]+\]|[\w.~!$&'()*+,;=%-]+)(?::\d{0,5})?$/i;

/** The target of a request as a path with its query; `Host` becomes what the target names. */
export function toOriginForm(request: IncomingMessage): string {
  const { url = '/' } = request;
  if (url.startsWith('/')) return url;
  const [, host, path = ''] = absoluteForm.exec(url) ?? [];
  // an asterisk or an authority names nothing here; as a path it meets the same hooks as any other
  // address
  if (host === undefined) return `/${url}`;
  request.headers.host = host;
  return path.startsWith('/') ? path : `/${path}`;
}

/** What is wrong with the `Host` of a request (RFC 9112 §3.2); nothing if all is well. */
export function hostFault({ rawHeaders, headers: { host }, httpVersion }: IncomingMessage): string | undefined {
  let lines = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at];
    if (name?.length === 4 && name.toLowerCase() === 'host') lines++;
  }
  if (lines > 1) return 'A request has one `Host` header.';
  if (lines === 0 && httpVersion === '1.1') return 'HTTP/1.1 requires a `Host` header.';
  return host === undefined || authority.test(host) ? undefined : 'The `Host` header names no host.';
}
