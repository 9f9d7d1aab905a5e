type Description = { type: string; message: string; code?: string; stack?: string; cause?: Description };

const causeLimit = 4;

/**
 * An error as the log may keep it. Drivers hang whole rows and statements with their values on an
 * error, and repeat them in further lines of its message: none of that is kept.
 */
export function describeError(error: unknown, depth = 0): Description {
  if (!(error instanceof Error)) return { type: typeof error, message: String(error).slice(0, 256) };
  const frames = error.stack?.split('\n').filter((line) => line.startsWith('    at ')) ?? [];
  return {
    type: error.name,
    message: error.message.split('\n', 1)[0] ?? '',
    ...('code' in error && { code: String(error.code) }),
    ...('constraint' in error && { constraint: String(error.constraint) }),
    stack: frames.join('\n'),
    ...(error.cause instanceof Error && depth < causeLimit && { cause: describeError(error.cause, depth + 1) }),
  };
}
