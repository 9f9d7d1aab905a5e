declare module 'multer' {
  import type { IncomingMessage } from 'node:http';
  import type { Readable } from 'node:stream';

  type Part = { readonly fieldname: string; readonly stream: Readable };
  type Done = (error: unknown, outcome?: unknown) => void;

  /**
   * The part of multer that we use, without the types of Express: all that it asks of a request is
   * Node's.
   */
  export type Options = {
    readonly limits: Readonly<Record<'fields' | 'fieldSize' | 'fieldNameSize' | 'parts', number>>;
    readonly fileFilter: (request: IncomingMessage, part: Part, accept: Done) => void;
    readonly storage: {
      _handleFile(request: IncomingMessage, part: Part, done: Done): void;
      _removeFile(request: IncomingMessage, part: Part, done: Done): void;
    };
    readonly streamHandler: (request: IncomingMessage, form: NodeJS.WritableStream) => void;
  };
  type Middleware = (request: IncomingMessage, response: object, next: (error?: unknown) => void) => void;

  export default function multer(options: Options): { any(): Middleware };
}
