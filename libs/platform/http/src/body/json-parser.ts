import { AppError } from '#libs/platform/errors';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });
const depthLimit = 32;
const [quote, backslash, openBracket, closeBracket, openBrace, closeBrace] = [0x22, 0x5c, 0x5b, 0x5d, 0x7b, 0x7d];
/** Escapes that JSON allows and text must not contain: NUL, and surrogates, which may be lone. */
const suspiciousEscape = /\\u(?:0000|[dD][89a-fA-F])/;

/**
 * JSON from the bytes of a body (RFC 8259), stricter than `JSON.parse`: bad UTF-8 is refused
 * instead of becoming U+FFFD, as are NUL, lone surrogates and nesting beyond 32 levels.
 * @throws AppError `malformed-json`, `invalid-encoding`, `json-too-deep`
 */
export function parseJson(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined;
  if (bytes.includes(0)) throw new AppError('invalid-encoding');
  if (isTooDeep(bytes)) throw new AppError('json-too-deep');
  const text = decode(bytes);
  const value = parse(text);
  if (suspiciousEscape.test(text) && !isClean(value)) throw new AppError('invalid-encoding');
  return value;
}

function decode(bytes: Buffer): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new AppError('invalid-encoding', { cause });
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new AppError('malformed-json', { cause });
  }
}

/**
 * One pass over the bytes; the brackets and quotes of JSON are ASCII, which UTF-8 never repeats
 * inside a character.
 */
function isTooDeep(bytes: Buffer): boolean {
  let depth = 0;
  let isInString = false;
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index];
    if (isInString) {
      if (byte === backslash) index++;
      else if (byte === quote) isInString = false;
    } else if (byte === quote) isInString = true;
    else if (byte === openBracket || byte === openBrace) {
      if (++depth > depthLimit) return true;
    } else if (byte === closeBracket || byte === closeBrace) depth--;
  }
  return false;
}

function isClean(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed() && !value.includes('\0');
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([key, member]) => isClean(key) && isClean(member));
}
