/**
 * Schemes whose pages have the origin `null` (WHATWG URL §4.7), or that are no schemes of pages.
 */
const opaque = new Set(['about', 'blob', 'data', 'file', 'ftp', 'javascript', 'ws', 'wss']);

/**
 * Whether a text is an origin as browsers and apps send it (`https://app.example.org:8443`,
 * `capacitor://localhost`), or all subdomains of a host (`https://*.example.org`). Only a whole
 * first label may be `*`, and a domain of two labels at least must follow it: `https://*.org` would
 * be nearly everybody.
 */
export function isOrigin(text: string): boolean {
  const [, scheme = '', isWild, rest = ''] = /^([a-z][a-z0-9+.-]*):\/\/(\*\.)?([^*/?#@]+)$/.exec(text) ?? [];
  if (scheme !== 'http' && scheme !== 'https') {
    return isWild === undefined && !opaque.has(scheme) && /^[a-z0-9._-]+(?::\d{1,5})?$/.test(rest);
  }
  const example = `${scheme}://${isWild ? 'any.' : ''}${rest}`;
  const isWhole = URL.canParse(example) && new URL(example).origin === example;
  return isWhole && (isWild === undefined || rest.includes('.') || rest.startsWith('localhost'));
}
