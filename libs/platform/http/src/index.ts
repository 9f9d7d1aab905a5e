export { ApiProblems } from './api-problems.js';
export { formMediaType, rowMediaTypes } from './body-parsers.js';
export { liftBodyTimeout } from './body-timeout.js';
export { ClientGone } from './client-gone.js';
export { connectionsOf } from './connection-watch.js';
export { createHttpAdapter } from './create-http-adapter.js';
export { Draining } from './draining.js';
export { etagOf, ifMatch, isKnownTag, type Precondition } from './etag.js';
export { guardBeforeBodies } from './guard-before-body.js';
export { HttpModule } from './http.module.js';
export { instantSchema } from './instant.schema.js';
export { multipartMediaType, type Upload, UploadReader } from './multipart-upload.js';
export {
  cutPage,
  decodeCursor,
  encodeCursor,
  linkNext,
  pageCursorSchema,
  pageLimitSchema,
  QueryCursors,
} from './page-cursor.js';
export { loggablePath } from './request-log.js';
export { observeRequests, refusalsOf } from './request-observers.js';
export { pathOf } from './path-of.js';
export { toPublicPath } from './public-path.js';
export { refuseBeforeRouting } from './refuse-before-routing.js';
export { hashingRoute, routesOf } from './route-table.js';
export { answerFailure, toFailure, toLogged } from './problem.filter.js';
export { sendProblem } from './send-problem.js';
export { isVisible, mustBeVisible, textSchema } from './text.schema.js';
export { toValidationError } from './validation-error.js';
