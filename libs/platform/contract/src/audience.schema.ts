import { z } from 'zod';

/** What RFC 3986 writes a URI with, without `#`: a fragment names no audience (RFC 8707 §2). */
const uri = /^[a-z][a-z0-9+.-]*:(?:[a-z0-9._~:/?@!$&'()*+,;=[\]-]|%[0-9a-f]{2})+$/i;
/** As `uri`, with the letters of other scripts that an IRI may have (RFC 3987). */
const iri = /^[a-z][a-z0-9+.-]*:(?:[a-z0-9._~:/?@!$&'()*+,;=[\]-]|%[0-9a-f]{2}|[^\p{ASCII}\p{C}\p{Z}])+$/iu;
/** The parser of the WHATWG completes `https:x` and `https:///x`; RFC 3986 says other things. */
const lacksHost = /^(?:https?|wss?|ftp):(?!\/\/[^/?])/i;

const isAudience = (text: string): boolean => uri.test(text) && !lacksHost.test(text) && URL.canParse(text);

/**
 * What two spellings of an audience are compared by: RFC 3986 §6.2.2, the empty path's slash and
 * the default port (§6.2.3), and a host of other scripts as its A-labels. A text that is no
 * absolute URI is its own key: nothing else is the same audience.
 */
export function audienceKey(audience: string): string {
  if (!iri.test(audience) || lacksHost.test(audience)) return audience;
  const url = URL.parse(withNormalEscapes(audience));
  if (!url) return audience;
  // of schemes that the parser does not know it leaves the host and the empty path as they are
  if (url.host !== '') {
    url.host = url.host.toLowerCase();
    url.pathname ||= '/';
  }
  return withNormalEscapes(url.href);
}

/** Escapes in capitals, and none for what needs none (RFC 3986 §6.2.2.1 and §6.2.2.2). */
const withNormalEscapes = (text: string): string =>
  text.replaceAll(/%[0-9a-f]{2}/gi, (escape) => {
    const letter = String.fromCodePoint(Number.parseInt(escape.slice(1), 16));
    return /[A-Za-z0-9._~-]/.test(letter) ? letter : escape.toUpperCase();
  });

/** An absolute URI without a fragment; other scripts in it are escaped, or A-labels. */
export const audienceSchema = z
  .string()
  .min(1)
  .max(500)
  .refine(isAudience, 'must be an absolute URI without a fragment, such as https://orders.example.org')
  .meta({ format: 'uri', example: 'https://orders.example.org' });

/** An audience that is asked for, in whichever spelling. */
export const wantedAudienceSchema = z.string().min(1).max(500).meta({
  description: 'The `audience` of an active service, in any spelling; without it the token is for Gatehouse itself',
  example: 'https://orders.example.org',
});
