import { z } from 'zod';

/**
 * An instant of RFC 3339, in UTC: PostgreSQL takes no offset from 16 hours on, and no year 0. What
 * is finer than its microseconds is left out.
 */
export const instantSchema = z.iso.datetime({ offset: true }).transform((time, context) => {
  const [, seconds = '', fraction = '', offset = ''] = /^(.{19})(\.\d+)?(.+)$/.exec(time) ?? [];
  const date = new Date(seconds + offset);
  const year = date.getUTCFullYear();
  if (year >= 1 && year <= 9999) return `${date.toISOString().slice(0, 19)}${fraction.slice(0, 7)}Z`;
  context.addIssue({ code: 'custom', message: 'must be a time from the year 1 to the year 9999' });
  return z.NEVER;
});
