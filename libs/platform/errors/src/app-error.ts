import { errorCodes, type ErrorCode } from './error-codes.js';

/** One refused field: `path` in dots (`roles.0`), `code` stable, `message` for people. */
export type FieldError = { readonly path: string; readonly message: string; readonly code: string };

/** What a problem document tells beside its text (RFC 9457 §3.2), by the name of the member. */
export type ProblemExtensions = { readonly challenge?: string; readonly factors?: readonly string[] };

export type AppErrorOptions = {
  /** Where the contract gives one code two statuses. */
  readonly status?: number;
  /** Helps the caller and reveals nothing; the code's own text if absent. */
  readonly detail?: string;
  readonly errors?: readonly FieldError[];
  /** Names of the rate limits that were used up. */
  readonly violatedPolicies?: readonly string[];
  readonly extensions?: ProblemExtensions;
  /** Answer headers, such as `Allow` or `Retry-After`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** For the log only, never for the caller. */
  readonly cause?: unknown;
};

/**
 * An expected failure. The filter answers it as a problem document (RFC 9457) with the status of
 * its code.
 */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly status: number;

  constructor(
    readonly code: ErrorCode,
    readonly options: AppErrorOptions = {},
  ) {
    super(options.detail ?? errorCodes[code].detail, { cause: options.cause });
    this.status = options.status ?? errorCodes[code].status;
  }
}
