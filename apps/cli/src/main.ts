import { enableCompileCache } from 'node:module';
import { umask } from 'node:process';
import { setFlagsFromString } from 'node:v8';

// Files that a command writes are for its user only.
umask(0o077);
// The next command reuses what V8 has compiled. A read-only disk does no harm.
enableCompileCache();
// V8 lets the heap grow to four times what is in use before it collects: an import of a million
// rows takes 340 MB then, and 230 MB with this (bench/import.ts). It is no limit, because a dry run
// keeps the keys of all rows.
setFlagsFromString('--heap-growing-percent=100');
await import('./program.js');
