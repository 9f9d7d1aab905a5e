import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** A mail that `MAIL=file` has written, as a mail program would show it. */
export type KeptMail = {
  readonly id: string;
  readonly keptAt: Date;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly source: string;
};

/** The page of the list shows so many. */
const shown = 100;
const name = /^([A-Za-z0-9-]{1,64})\.eml$/;

/** The `.eml` files of a folder. */
export class KeptMails {
  constructor(private readonly folder: string) {}

  /** Newest first; the last hundred. */
  async list(): Promise<readonly KeptMail[]> {
    const ids = (await this.#names()).flatMap((file) => name.exec(file)?.[1] ?? []);
    const times = await Promise.all(ids.map(async (id) => ({ id, at: await this.#keptAt(id) })));
    const newest = times.toSorted((a, b) => b.at.getTime() - a.at.getTime()).slice(0, shown);
    const mails = await Promise.all(newest.map(({ id }) => this.find(id)));
    return mails.filter((mail) => mail !== undefined);
  }

  async find(id: string): Promise<KeptMail | undefined> {
    // an id is part of a path here: only what we may have written is looked for
    if (!name.test(`${id}.eml`)) return undefined;
    const source = await readFile(this.#path(id), 'utf8').catch(() => undefined);
    if (source === undefined) return undefined;
    const { default: PostalMime } = await import('postal-mime');
    const { to, subject = '', text = '', html = '' } = await PostalMime.parse(source);
    const addresses = (to ?? []).map(({ address }) => address ?? '').join(', ');
    return { id, keptAt: await this.#keptAt(id), to: addresses, subject, text, html, source };
  }

  async #names(): Promise<readonly string[]> {
    try {
      return await readdir(this.folder);
    } catch {
      // it is made with the first mail
      return [];
    }
  }

  async #keptAt(id: string): Promise<Date> {
    return (await stat(this.#path(id))).mtime;
  }

  #path(id: string): string {
    return join(this.folder, `${id}.eml`);
  }
}
