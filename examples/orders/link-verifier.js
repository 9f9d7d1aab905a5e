import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * Inside Gatehouse's repository the verifier is not installed but built and linked, without a
 * download: all else that is needed came with `npm ci` at the top. Elsewhere `npm install` does it.
 */
const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const verifier = path('../../packages/verifier');

const built = spawnSync('npm', ['run', '--silent', 'build'], { cwd: verifier, stdio: 'inherit', shell: true });
if (built.status !== 0) process.exit(1);

const link = path('node_modules/@gatehouse/verifier');
if (!existsSync(link)) {
  mkdirSync(path('node_modules/@gatehouse'), { recursive: true });
  symlinkSync(verifier, link, 'junction');
}
