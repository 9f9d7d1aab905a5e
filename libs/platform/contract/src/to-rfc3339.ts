const dayMs = 86_400_000;
const numbers = (count: number, width: number): readonly string[] =>
  Array.from({ length: count }, (_, number) => String(number).padStart(width, '0'));
const [sixties, thousands] = [numbers(60, 2), numbers(1_000, 3)];
let [knownDay, knownDate] = [Number.NaN, ''];

/**
 * A time as answers have it, from Unix milliseconds: what `Date.toISOString` gives, in 0.25 µs
 * instead of 0.9 when the time before was of the same day, as most on a page are. The two of each
 * user were a tenth of a page of 50.
 */
export function toRfc3339(ms: number): string {
  const day = Math.floor(ms / dayMs);
  if (day !== knownDay) {
    knownDate = new Date(day * dayMs).toISOString().slice(0, -'00:00:00.000Z'.length);
    knownDay = day;
  }
  const rest = ms - day * dayMs;
  const seconds = Math.floor(rest / 1_000);
  const [hour, minute] = [sixties[Math.floor(seconds / 3_600)], sixties[Math.floor(seconds / 60) % 60]];
  return `${knownDate}${hour}:${minute}:${sixties[seconds % 60]}.${thousands[rest % 1_000]}Z`;
}
