import { StaticFiles } from '#libs/platform/http';

/** Styles, scripts and pages that are the same for everybody. */
export const pageFiles = new StaticFiles(new URL('../pages/', import.meta.url));
