import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';

import { AppError } from '#libs/platform/errors';
import { overloaded } from '#libs/platform/queues';

/** Forms with files are taken, instead of JSON, where a route says so in its `consumes`. */
export const multipartMediaType = 'multipart/form-data';

/** All parts of a form beside its file: the `profile` of a user alone has 16 KB. */
const fieldsLimitBytes = 64 * 1024;
const fieldCountLimit = 16;

/**
 * What one file may be. `accepts` judges its first bytes and throws what the caller is to be told.
 */
export type FileRule = {
  readonly field: string;
  readonly limitBytes: number;
  readonly accepts: (head: Buffer) => void;
};
export type Upload = { readonly file: Buffer | undefined; readonly fields: Readonly<Record<string, unknown>> };
type Refuse = (error: Error) => void;

/**
 * Reads forms with one file into memory, never more than `budgetBytes` of all uploads together, so
 * that many slow senders cannot fill it. multer waits for the end of the request before it reports
 * a failure; here the caller hears of it at once, and multer goes on to read what still comes and
 * throws it away.
 */
export class UploadReader {
  #usedBytes = 0;

  constructor(private readonly budgetBytes: number) {}

  /**
   * Hands the form to `work` and counts its bytes until that has ended.
   * @throws AppError `body-too-large`, `malformed-multipart`, `invalid-request`, `overloaded`, what
   * `accepts` throws
   */
  async read<T>(request: IncomingMessage, rule: FileRule, work: (upload: Upload) => Promise<T>): Promise<T> {
    if (Number(request.headers['content-length'] ?? 0) > rule.limitBytes + fieldsLimitBytes) throw tooLarge(rule);
    let heldBytes = 0;
    let isOver = false;
    const take = (chunk: Buffer): boolean => {
      if (isOver) return false;
      if (heldBytes + chunk.length > rule.limitBytes) throw tooLarge(rule);
      if (this.#usedBytes + chunk.length > this.budgetBytes) throw overloaded;
      heldBytes += chunk.length;
      this.#usedBytes += chunk.length;
      return true;
    };
    try {
      return await work(await receive(request, rule, take));
    } finally {
      isOver = true;
      this.#usedBytes -= heldBytes;
    }
  }
}

/** Counts a piece of a file; false when nobody wants it any more. */
type Take = (chunk: Buffer) => boolean;

async function receive(request: IncomingMessage, rule: FileRule, take: Take): Promise<Upload> {
  const { default: multer } = await import('multer');
  return new Promise<Upload>((resolve, reject) => {
    const chunks: Buffer[] = [];
    const keep = (chunk: Buffer): void => {
      if (take(chunk)) chunks.push(chunk);
    };
    let files = 0;
    const form = multer({
      limits: { fields: fieldCountLimit, fieldSize: fieldsLimitBytes, fieldNameSize: 100, parts: fieldCountLimit + 1 },
      fileFilter: (_request, { fieldname }, accept) => {
        files++;
        const isWanted = fieldname === rule.field && files === 1;
        if (!isWanted) reject(unexpected(fieldname, rule));
        // what is not wanted is read and thrown away: left alone it would pile up
        accept(null, isWanted);
      },
      storage: {
        _handleFile: (_request, { stream }, done) => {
          receiveFile(stream, { keep, accepts: rule.accepts }).then(() => done(null, {}), reject);
        },
        _removeFile: (_request, _part, done) => done(null),
      },
      streamHandler: (source, parser) => feed(source, parser, { rule, refuse: reject }),
    });
    form.any()(request, {}, (error) => {
      if (error !== undefined && error !== null) reject(toUploadError(error));
      else resolve({ file: files === 0 ? undefined : Buffer.concat(chunks), fields: fieldsOf(request) });
    });
  });
}

type Receiving = { readonly keep: (chunk: Buffer) => void; readonly accepts: (head: Buffer) => void };

const headBytes = 64;

/**
 * The format is judged as soon as its first bytes are there: a film is refused before it has been
 * sent.
 */
function receiveFile(stream: Readable, { keep, accepts }: Receiving): Promise<void> {
  return new Promise((resolve, reject) => {
    let head = Buffer.alloc(0);
    let isJudged = false;
    const judge = (): void => {
      isJudged = true;
      accepts(head);
    };
    const refuse = (error: unknown): void => {
      stream.removeAllListeners('data');
      stream.resume();
      reject(error instanceof Error ? error : new Error(String(error)));
    };
    stream.on('data', (chunk: Buffer) => {
      try {
        if (!isJudged) head = Buffer.concat([head, chunk.subarray(0, headBytes)]);
        if (!isJudged && head.length >= headBytes) judge();
        keep(chunk);
      } catch (error) {
        refuse(error);
      }
    });
    stream.once('end', () => {
      try {
        if (!isJudged) judge();
        resolve();
      } catch (error) {
        refuse(error);
      }
    });
    stream.once('error', refuse);
  });
}

type Feeding = { readonly rule: FileRule; readonly refuse: Refuse };

/**
 * Feeds the form's parser, and says what is wrong with the form when it is seen, not when the
 * sender has ended.
 */
function feed(source: IncomingMessage, parser: NodeJS.WritableStream, { rule, refuse }: Feeding): void {
  let seenBytes = 0;
  source.on('data', (chunk: Buffer) => {
    seenBytes += chunk.length;
    // what precedes the first boundary has no limit of the parser's
    if (seenBytes > rule.limitBytes + fieldsLimitBytes) refuse(tooLarge(rule));
  });
  for (const event of ['partsLimit', 'fieldsLimit', 'filesLimit']) {
    parser.once(event, () => refuse(malformed('The form has too many parts.')));
  }
  parser.once('error', (error) => refuse(toUploadError(error)));
  source.pipe(parser);
}

const fieldsOf = (request: IncomingMessage): Record<string, unknown> => {
  const body: unknown = Reflect.get(request, 'body');
  return typeof body === 'object' && body !== null ? { ...body } : {};
};

const malformed = (detail: string, cause?: unknown): AppError => new AppError('malformed-multipart', { detail, cause });

const tooLarge = ({ limitBytes }: FileRule): AppError =>
  new AppError('body-too-large', { detail: `A file may have at most ${limitBytes} bytes.` });

const unexpected = (field: string, rule: FileRule): AppError =>
  new AppError('invalid-request', {
    errors: [
      field === rule.field
        ? { path: field, message: 'is a second file; one is taken', code: 'too-many-files' }
        : { path: field, message: 'is not a file field of this form', code: 'unknown-field' },
    ],
  });

function toUploadError(error: unknown): Error {
  if (error instanceof AppError) return error;
  const text = error instanceof Error ? error.message : String(error);
  if (/^Request (aborted|closed)|aborted/.test(text)) {
    return new AppError('bad-request', { detail: 'The client hung up.', cause: error });
  }
  return malformed(`The form cannot be read: ${text}.`, error);
}
