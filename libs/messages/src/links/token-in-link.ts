/** Marks before the token, also percent-encoded, also more than once (`%2523`); then 256 bits in base64url. */
export const tokenAtStart = /^(?:%(?:25)*[\dA-F]{2}|[^\w%-])*([\w-]{43})/i;

/**
 * The token at the start of what follows `/m` in a link, however it was mangled on its way: with `#` encoded or turned
 * into a slash, and with marks or parameters behind it that belong to the text around the link or to whoever counts
 * clicks. The page's script does the same with what is behind the `#`.
 */
export const tokenInLink = (rest: string): string | undefined => tokenAtStart.exec(rest)?.[1];
