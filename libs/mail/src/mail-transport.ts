import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Transporter } from 'nodemailer';

import type { Config } from '#libs/platform/config';
import { ensurePrivateFolder } from '#libs/platform/crypto';
import { UndeliverableError } from '#libs/platform/outbox';

/** A mail as it leaves. Line breaks in headers are taken out by nodemailer. */
export type Letter = {
  /** Of the entry in the outbox: a mail that is sent again has the same `Message-ID`. */
  readonly id: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
};

type MailSettings = Pick<Config, 'MAIL' | 'SMTP_URL' | 'MAIL_FROM' | 'DATA_DIR'>;

/** In ms: a server that hangs is given up well before the lease in the outbox ends. */
const timeouts = { connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 30_000, dnsTimeout: 10_000 };

/** Hands mail over: to a server, or as files of a folder. */
export class MailTransport {
  #transporter: Promise<Transporter> | undefined;

  constructor(private readonly settings: MailSettings) {}

  /**
   * @returns what the server said, or the file
   * @throws UndeliverableError when the server refuses the recipient for good; any other error may
   * pass
   */
  async send(letter: Letter, signal: AbortSignal): Promise<string> {
    this.#transporter ??= this.#open();
    const transporter = await this.#transporter;
    const sending = transporter.sendMail(this.#toMessage(letter)).catch((error: unknown) => {
      throw toDelivery(error);
    });
    const answer: unknown = await untilAborted(sending, signal);
    if (this.settings.MAIL === 'file') return this.#keep(letter.id, answer);
    return isAnswered(answer) ? answer.response : 'sent';
  }

  async close(): Promise<void> {
    (await this.#transporter)?.close();
  }

  async #open(): Promise<Transporter> {
    const { createTransport } = await import('nodemailer');
    const { MAIL, SMTP_URL = '' } = this.settings;
    if (MAIL === 'file') return createTransport({ streamTransport: true, buffer: true, newline: 'windows' });
    return createTransport({ ...smtpOptions(SMTP_URL), ...timeouts });
  }

  #toMessage({ id, to, subject, text, html }: Letter): object {
    const { MAIL_FROM: from = '' } = this.settings;
    const domain = /@([^<>@\s]+)>?$/.exec(from)?.[1] ?? 'localhost';
    // RFC 3834 §5: no vacation notice answers it
    const headers = { 'Auto-Submitted': 'auto-generated' };
    return { from, to: { name: '', address: to }, subject, text, html, messageId: `<${id}@${domain}>`, headers };
  }

  async #keep(id: string, built: unknown): Promise<string> {
    const folder = join(this.settings.DATA_DIR, 'mail');
    ensurePrivateFolder(folder);
    const file = join(folder, `${id}.eml`);
    await writeFile(`${file}.part`, isBuilt(built) ? built.message : '', { mode: 0o600 });
    await rename(`${file}.part`, file);
    return file;
  }
}

/** STARTTLS is required over `smtp:` unless the URL says otherwise: no password goes bare. */
export function smtpOptions(url: string): object {
  const { protocol, hostname, port, username, password, searchParams } = new URL(url);
  const isSecure = protocol === 'smtps:';
  const starttls = searchParams.get('starttls') ?? 'required';
  return {
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(port || (isSecure ? 465 : 587)),
    secure: isSecure,
    requireTLS: !isSecure && starttls === 'required',
    ignoreTLS: starttls === 'off',
    ...(username !== '' && { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } }),
    pool: true,
    maxConnections: 4,
    maxMessages: 100,
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

/** 5xx to the recipient is for good (RFC 5321 §4.2.1); a wrong password or sender is not theirs. */
function toDelivery(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { responseCode, command } = error as Error & { responseCode?: number; command?: string };
  const isRefused = responseCode !== undefined && responseCode >= 550 && responseCode <= 559 && command === 'RCPT TO';
  return isRefused ? new UndeliverableError(error.message, { cause: error }) : error;
}

async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  return Promise.race([work, aborted]).finally(() => signal.removeEventListener('abort', abort));
}

const isAnswered = (answer: unknown): answer is { readonly response: string } =>
  typeof answer === 'object' && answer !== null && 'response' in answer && typeof answer.response === 'string';
const isBuilt = (answer: unknown): answer is { readonly message: Buffer } =>
  typeof answer === 'object' && answer !== null && 'message' in answer && Buffer.isBuffer(answer.message);
