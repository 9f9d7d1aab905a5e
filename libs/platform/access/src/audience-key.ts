/**
 * What two spellings of an audience are compared by: RFC 3986 §6.2.2, with the empty path's slash
 * (§6.2.3). Takes what `isAudience` takes; any other text is its own key.
 */
export function audienceKey(audience: string): string {
  return URL.parse(audience)?.href ?? audience;
}
