export { ApiProblems } from './api-problems.js';
export { ClientGone } from './client-gone.js';
export { createHttpAdapter } from './create-http-adapter.js';
export { Draining } from './draining.js';
export { HttpModule } from './http.module.js';
export { text } from './text.schema.js';
