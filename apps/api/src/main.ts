import { enableCompileCache } from 'node:module';

import './thread-pool.js';

// what V8 has compiled is kept for the next start, which is a quarter shorter for it; a read-only disk does no harm
enableCompileCache();
await import('./start.js');
