import { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';

import { MailService } from '#libs/mail';
import type { RequestSource } from '#libs/platform/access';
import { AppError } from '#libs/platform/errors';
import { OutboxService } from '#libs/platform/outbox';

import { type RequestPasswordReset, resetRequestKind, type ResetRequest } from './password-reset.schema.js';

/** Takes requests for a new password. */
@Injectable()
export class PasswordResetRequests {
  constructor(
    private readonly em: SqlEntityManager,
    private readonly outbox: OutboxService,
    private readonly mail: MailService,
  ) {}

  /**
   * Writes one entry into the outbox, whatever is so: who is behind the address is looked up by the
   * replica that takes it from there, so that neither the answer nor its time tells (ADR 29).
   * @throws AppError `mail-off`, for all
   */
  async request({ email }: RequestPasswordReset, { acceptLanguage }: RequestSource): Promise<void> {
    if (!this.mail.isOn) throw new AppError('mail-off');
    const payload: ResetRequest = { email, acceptLanguage };
    const entry = { kind: resetRequestKind, payload, userId: undefined };
    await this.em.fork().transactional((em) => this.outbox.addIfRoom(em, entry));
  }
}
