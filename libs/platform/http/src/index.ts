export { ApiProblems } from './problems/api-problems.js';
export { formMediaType, rowMediaTypes } from './body/body-parsers.js';
export { liftBodyTimeout } from './body/body-timeout.js';
export { ClientGone, goneSignal } from './server/client-gone.js';
export { connectionsOf } from './server/connection-watch.js';
export { createHttpAdapter } from './server/create-http-adapter.js';
export { Draining } from './server/draining.js';
export { guardBeforeBodies } from './server/guard-before-body.js';
export { HttpModule } from './http.module.js';
export { instantSchema } from './instant.schema.js';
export { multipartMediaType, type Upload, UploadReader } from './body/multipart-upload.js';
export {
  cutPage,
  decodeCursor,
  encodeCursor,
  linkNext,
  pageCursorSchema,
  pageLimitSchema,
  QueryCursors,
} from './page-cursor.js';
export { observeRequests, refusalsOf } from './log/request-observers.js';
export { loggablePath, pathOf } from './log/request-path.js';
export { toPublicPath } from './routes/public-path.js';
export { refuseBeforeRouting } from './server/early-refusals.js';
export { hashingRoute, routesOf } from './routes/route-table.js';
export { answerFailure, toFailure, toLogged } from './problems/problem.filter.js';
export { sendProblem } from './problems/send-problem.js';
export { isVisible, mustBeVisible, textSchema } from './text.schema.js';
export { toValidationError } from './problems/validation-error.js';
