import type { IncomingMessage } from 'node:http';

import type { SqlEntityManager } from '@mikro-orm/sql';

/** A form as it came: text fields, and the file if there was one. */
type Form = { readonly file: Buffer | undefined; readonly fields: Readonly<Record<string, unknown>> };

/** A picture that came with a registration, before anything is done about it. */
export type PendingPicture = {
  /** SHA-256 of the file. */
  readonly digest: string;
  /** Makes the pictures and keeps them. @returns what names them */
  readonly keep: (signal?: AbortSignal) => Promise<Buffer>;
  /** Gives kept pictures to the user that the transaction makes. */
  readonly link: (em: SqlEntityManager, hash: Buffer) => Promise<void>;
};

/** The picture that may come with a registration. `#libs/platform/pictures` implements it, which users know nothing of. */
export abstract class RegistrationPicture {
  /** Reads a form whose file is `avatar`, and counts its bytes until `work` has ended. */
  abstract receive<T>(form: IncomingMessage, work: (form: Form) => Promise<T>): Promise<T>;

  /** Makes the pictures and keeps them. @returns what names them */
  abstract keep(file: Buffer, signal?: AbortSignal): Promise<Buffer>;

  /** Gives kept pictures to the user that the transaction makes. */
  abstract link(em: SqlEntityManager, hash: Buffer): Promise<void>;
}
