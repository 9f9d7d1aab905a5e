/** A column of times in Unix milliseconds, as rows of hot reads have it. */
export const epochMs = (column: string): string => `(extract(epoch from ${column}) * 1000)::float8`;

/** A column of times as RFC 3339 in UTC, with milliseconds. */
export const rfc3339Sql = (column: string): string =>
  `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
