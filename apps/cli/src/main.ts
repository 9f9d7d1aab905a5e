import { enableCompileCache } from 'node:module';
import { umask } from 'node:process';
import { setFlagsFromString } from 'node:v8';

// whatever is written is for this user only
umask(0o077);
// what V8 has compiled is kept for the next command; a read-only disk does no harm
enableCompileCache();
// V8 would let the heap grow to four times what is in use before it looks: an import of a million rows then takes 340 MB
// where 230 do (bench/import.ts). No limit: a dry run keeps the keys of all rows.
setFlagsFromString('--heap-growing-percent=100');
await import('./program.js');
