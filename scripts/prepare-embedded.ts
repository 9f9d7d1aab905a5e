import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes the empty embedded cluster that first starts copy. Runs at install; a
 * failure costs only the time it saves.
 */
try {
  const { embeddedTemplate } = await import('../libs/platform/database/src/embedded-template.ts');
  const template = embeddedTemplate();
  if (!existsSync(template)) {
    const { PGlite } = await import('@electric-sql/pglite');
    const half = `${template}.new`;
    rmSync(half, { recursive: true, force: true });
    mkdirSync(dirname(template), { recursive: true });
    await (await PGlite.create({ dataDir: half })).close();
    renameSync(half, template);
  }
} catch (error) {
  console.warn(`The embedded database was not prepared; the first start will make it. (${String(error)})`);
}
