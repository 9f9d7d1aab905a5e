import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * Inside Gatehouse's repository the verifier is linked, as `npm install` would do it, but without a
 * download: all else that is needed came with `npm ci` at the top.
 */
const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const link = path('node_modules/@gatehouse/verifier');
if (!existsSync(link)) {
  mkdirSync(path('node_modules/@gatehouse'), { recursive: true });
  symlinkSync(path('../../packages/verifier'), link, 'junction');
}
