export { ApiProblems } from './api-problems.js';
export { formMediaType } from './body-parsers.js';
export { ClientGone } from './client-gone.js';
export { createHttpAdapter } from './create-http-adapter.js';
export { Draining } from './draining.js';
export { HttpModule } from './http.module.js';
export { decodeCursor, encodeCursor, linkNext, pageCursorSchema, pageLimitSchema } from './page-cursor.js';
export { sendProblem } from './send-problem.js';
export { text } from './text.schema.js';
