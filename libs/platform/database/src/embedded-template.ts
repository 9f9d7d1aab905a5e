import { cpSync, existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Where the install leaves an empty cluster of just this PGlite (`scripts/prepare-embedded.ts`).
 * Making one takes 4 s of initdb in WebAssembly, copying it 0.1 s. Without it, as in the image, the
 * first start makes its own.
 */
export function embeddedTemplate(): string {
  const modules = join(dirname(fileURLToPath(import.meta.resolve('@mikro-orm/pglite'))), '../..');
  const manifest: unknown = JSON.parse(readFileSync(join(modules, '@electric-sql/pglite/package.json'), 'utf8'));
  const version: unknown =
    typeof manifest === 'object' && manifest !== null ? Reflect.get(manifest, 'version') : undefined;
  return join(modules, '.cache/gatehouse', `pglite-${String(version)}`);
}

/**
 * Puts the template where there is no cluster yet: whole or not at all, whenever the process is
 * killed.
 */
export function placeTemplate(folder: string): void {
  const template = embeddedTemplate();
  if (existsSync(folder) || !existsSync(template)) return;
  const half = `${folder}.new`;
  rmSync(half, { recursive: true, force: true });
  cpSync(template, half, { recursive: true });
  renameSync(half, folder);
}
