import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { commonVariables, type Locale, locales, type MailKind, mailKinds, mailVariables } from './mail.js';
import { type MailText, parseMailText } from './mail-text.js';

const ownFolder = fileURLToPath(new URL('../data/', import.meta.url));

/** A file of `MAIL_TEMPLATES` cannot be used; the message names it and says why. */
export class MailTextError extends Error {
  override readonly name = 'MailTextError';
}

/** The texts of all mails in all languages, those of `MAIL_TEMPLATES` before our own. */
export class MailTexts {
  readonly #texts = new Map<string, MailText>();

  /** @throws MailTextError for a file that no mail uses, or with a variable that is not there */
  constructor(folder: string | undefined) {
    this.#read(ownFolder);
    if (folder !== undefined) this.#read(folder);
  }

  find(kind: MailKind, locale: Locale): MailText {
    const text = this.#texts.get(`${kind}.${locale}.txt`);
    if (!text) throw new Error(`There is no text for ${kind} in ${locale}`);
    return text;
  }

  #read(folder: string): void {
    for (const name of namesIn(folder)) {
      const kind = mailKinds.find((known) => locales.some((locale) => name === `${known}.${locale}.txt`));
      if (!kind) {
        const known = mailKinds.flatMap((one) => locales.map((locale) => `${one}.${locale}.txt`));
        throw new MailTextError(`MAIL_TEMPLATES: no mail uses ${name}; there are ${known.join(', ')}`);
      }
      try {
        const text = readFileSync(join(folder, name), 'utf8');
        this.#texts.set(name, parseMailText(text, [...commonVariables, ...mailVariables[kind]]));
      } catch (error) {
        throw new MailTextError(`MAIL_TEMPLATES: ${name}: ${error instanceof Error ? error.message : ''}`, {
          cause: error,
        });
      }
    }
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter((name) => !name.startsWith('.'));
  } catch (cause) {
    throw new MailTextError(`MAIL_TEMPLATES: the folder ${folder} cannot be read`, { cause });
  }
}
