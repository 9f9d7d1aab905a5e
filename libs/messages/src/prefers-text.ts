type Range = { readonly type: string; readonly quality: number };

/**
 * Whether an `Accept` header (RFC 9110 §12.5.1) asks for plain text rather than JSON: it names `text/plain`, and does not
 * name JSON with the same weight or more. Clients that take anything get JSON.
 */
export function prefersText(accept: string | undefined): boolean {
  const ranges = (accept ?? '').slice(0, 1_024).split(',').map(parse);
  const text = qualityOf(ranges, 'text/plain') ?? 0;
  return text > 0 && text > (qualityOf(ranges, 'application/json') ?? 0);
}

function parse(range: string): Range {
  const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
  const quality = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
  return { type, quality: quality === undefined ? 1 : Number(quality) || 0 };
}

const qualityOf = (ranges: readonly Range[], wanted: string): number | undefined =>
  ranges.find(({ type }) => type === wanted)?.quality;
