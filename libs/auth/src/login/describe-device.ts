/** As `User-Agent` names them; the first that is found counts, since browsers name others too. */
const browsers: readonly (readonly [token: string, name: string])[] = [
  ['Edg', 'Edge'],
  ['OPR/', 'Opera'],
  ['SamsungBrowser/', 'Samsung Internet'],
  ['Firefox/', 'Firefox'],
  ['FxiOS/', 'Firefox'],
  ['CriOS/', 'Chrome'],
  ['Chrome/', 'Chrome'],
  ['Safari/', 'Safari'],
];
const systems: readonly (readonly [token: string, name: string])[] = [
  ['Windows', 'Windows'],
  ['Android', 'Android'],
  ['iPhone', 'iPhone'],
  ['iPad', 'iPad'],
  ['CrOS', 'ChromeOS'],
  ['Macintosh', 'macOS'],
  ['Linux', 'Linux'],
];
const longest = 60;

/**
 * A program in words that its user knows, such as `Firefox on Linux`; of others what they say of
 * themselves first. One line. It is what the client says: a hint, not a proof. Pure.
 */
export function describeDevice(userAgent: string | null): string {
  const text = (userAgent ?? '').replaceAll(/[\p{C}\p{Z}]+/gu, ' ').trim();
  if (text === '') return '?';
  const nameIn = (names: typeof browsers): string | undefined => names.find(([token]) => text.includes(token))?.[1];
  const browser = text.startsWith('Mozilla/') ? nameIn(browsers) : undefined;
  if (browser === undefined) return (text.split(' ')[0] ?? text).slice(0, longest);
  const system = nameIn(systems);
  return system === undefined ? browser : `${browser} on ${system}`;
}
