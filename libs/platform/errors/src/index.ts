export { AppError, type AppErrorOptions, type FieldError } from './app-error.js';
export { errorCodes, type ErrorCode } from './error-codes.js';
export { toOAuthError } from './oauth-error.js';
export { problemSchema, toProblem, type Problem } from './problem.js';
