import type { SqlEntityManager } from '@mikro-orm/sql';
import { type BeforeApplicationShutdown, Inject, Injectable, Logger, type OnModuleInit } from '@nestjs/common';

import { type Config, CONFIG } from '#libs/platform/config';
import { type ListedEntry, OutboxSender, OutboxService } from '#libs/platform/outbox';

import { chooseLocale, type LanguageWishes } from './choose-locale.js';
import { type Mail, type MailKind, mailSchema } from './mail.js';
import { renderMail } from './mail-text.js';
import { MailTexts } from './mail-texts.js';
import { type Letter, MailTransport } from './mail-transport.js';
import { UndeliverableAddressesService } from './undeliverable-addresses.service.js';

/** The kind of mail in the outbox. */
const inOutbox = 'mail';

/** A mail, before its language is chosen; without `userId` to somebody who is no user. */
export type MailTo<Kind extends MailKind> = Omit<Mail<Kind>, 'locale'> &
  LanguageWishes & { readonly userId?: string | undefined };

/** A mail that waits or was given up, without what it says. */
export type ListedMail = Omit<ListedEntry, 'payload'> & { readonly mail: MailKind; readonly to: string };

/** Writes mail into the outbox, and hands over what is in it. */
@Injectable()
export class MailService implements OnModuleInit, BeforeApplicationShutdown {
  readonly #logger = new Logger('Mail');
  readonly #transport: MailTransport;
  readonly #texts: MailTexts;

  /** @throws MailTextError */
  constructor(
    private readonly outbox: OutboxService,
    private readonly sender: OutboxSender,
    private readonly addresses: UndeliverableAddressesService,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    this.#transport = new MailTransport(config);
    this.#texts = new MailTexts(config.MAIL_TEMPLATES);
  }

  onModuleInit(): void {
    if (!this.isOn) return;
    this.sender.register(inOutbox, async (payload, id, signal, userId) => {
      const mail = mailSchema.parse(payload);
      const send = (): Promise<string> => this.#transport.send(this.#write(id, mail), signal);
      const answer = await this.addresses.guard(mail.to, userId, send);
      this.#logger.log({ event: 'mail handed over', id, mail: mail.kind, answer });
    });
  }

  get isOn(): boolean {
    return this.config.MAIL !== 'off';
  }

  /** Writes it into the transaction of its cause; nothing while `MAIL` is off. */
  async add<Kind extends MailKind>(
    em: SqlEntityManager,
    { userId, kind, to, variables, ...wishes }: MailTo<Kind>,
  ): Promise<void> {
    if (!this.isOn) return;
    const locale = chooseLocale(wishes, this.config.MAIL_LOCALE);
    await this.outbox.add(em, { kind: inOutbox, payload: { kind, to, locale, variables }, userId });
  }

  /** Sends a test at once, past the outbox. @returns what the server said. @throws its refusal */
  test(to: string): Promise<string> {
    const mail: Mail<'test'> = { kind: 'test', to, locale: this.config.MAIL_LOCALE, variables: {} };
    return this.#transport.send(this.#write(`test-${Date.now()}`, mail), AbortSignal.timeout(60_000));
  }

  /** What waits or was given up; those that were given up first. */
  async list(limit: number): Promise<readonly ListedMail[]> {
    const entries = await this.outbox.list(inOutbox, limit);
    return entries.map(({ payload, ...entry }) => {
      const { kind: mail, to } = mailSchema.parse(payload);
      return Object.assign(entry, { mail, to });
    });
  }

  /** Tries again what was given up: one mail, or all. @returns how many */
  retry(id?: string): Promise<number> {
    return this.outbox.retry(inOutbox, id);
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.#transport.close();
  }

  #write(id: string, { kind, to, locale, variables }: Omit<Mail, 'variables'> & { variables: Variables }): Letter {
    const filled = { ...variables, service: this.config.PUBLIC_URL };
    return { id, to, ...renderMail(this.#texts.find(kind, locale), filled, locale) };
  }
}

type Variables = Readonly<Record<string, string>>;
