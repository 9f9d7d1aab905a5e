import { z } from 'zod';

/** An instant of RFC 3339 that PostgreSQL can hold: it knows no year 0. */
export const instant = z.iso.datetime({ offset: true }).refine((time) => !time.startsWith('0000'), 'must be a time');
