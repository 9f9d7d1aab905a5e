import { enableCompileCache } from 'node:module';

// what V8 has compiled is kept for the next command; a read-only disk does no harm
enableCompileCache();
await import('./program.js');
