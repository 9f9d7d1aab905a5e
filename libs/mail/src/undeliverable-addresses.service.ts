import { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';

import { toEmailKey } from '#libs/platform/contract';
import { lockInTransaction } from '#libs/platform/database';
import { UndeliverableError } from '#libs/platform/outbox';
import type { RequestSource } from '#libs/platform/access';
import { type AuditEvent, AuditTrail } from '#libs/security/audit';

import type { MailEvent, MailEvents } from './mail-events.schema.js';
import { UndeliverableAddressesRepository } from './undeliverable-addresses.repository.js';

/** Knows the addresses that mail is not sent to, and why. None of it shows in any answer. */
@Injectable()
export class UndeliverableAddressesService {
  constructor(
    private readonly addresses: UndeliverableAddressesRepository,
    private readonly em: SqlEntityManager,
    private readonly audit: AuditTrail,
  ) {}

  /**
   * Sends unless the address is marked, and marks it when its server refuses it for good.
   * @throws UndeliverableError, and what `send` throws
   */
  async guard<T>(email: string, userId: string | undefined, send: () => Promise<T>): Promise<T> {
    const mark = await this.addresses.find(email);
    if (mark) throw new UndeliverableError(`undeliverable since ${mark.since}: ${mark.reason}`);
    try {
      return await send();
    } catch (error) {
      if (error instanceof UndeliverableError) await this.#refused(email, userId, error.message);
      throw error;
    }
  }

  /**
   * Takes what a mail service reports; of several events of one address the last counts. A bounce
   * that may pass changes nothing.
   */
  async take({ events }: MailEvents, source: RequestSource): Promise<void> {
    const last = new Map(events.filter(isLasting).map((event) => [toEmailKey(event.email), event] as const));
    const failed = [...last].filter(([, { type }]) => type !== 'delivered');
    const delivered = [...last].filter(([, { type }]) => type === 'delivered').map(([key]) => key);
    if (last.size === 0) return;
    await this.em.fork().transactional(async (em) => {
      // reports that come at once would wait for each other's rows
      await lockInTransaction(em, 'undeliverableAddresses');
      await this.addresses.forget(delivered, em);
      await this.addresses.mark(em, new Map(failed.map(([key, event]) => [key, reasonOf(event)])));
      await this.audit.recordAll(
        failed.map(([, event]) => toAudit(event)),
        source,
        em,
      );
    });
  }

  /** At the operator's command. @returns whether the address was marked */
  async forget(email: string): Promise<boolean> {
    return (await this.addresses.forget([toEmailKey(email)])) > 0;
  }

  async #refused(email: string, userId: string | undefined, answer: string): Promise<void> {
    await this.em.fork().transactional(async (em) => {
      await this.addresses.mark(em, new Map([[toEmailKey(email), answer.slice(0, 500)]]));
      await this.audit.record(
        { event: 'address-undeliverable', userId, details: { cause: 'refused' } },
        'operator',
        em,
      );
    });
  }
}

const isLasting = ({ type, permanent }: MailEvent): boolean => type !== 'bounced' || permanent === true;

const reasonOf = ({ type, reason }: MailEvent): string => (reason ? `${type}: ${reason}` : type);

/** No address: an audit row outlives its user. Of the `Message-ID` just our own part is kept. */
function toAudit({ type, messageId }: MailEvent): AuditEvent {
  const [mailId] = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}(?=@)/i.exec(messageId?.replace(/^</, '') ?? '') ?? [];
  return { event: 'address-undeliverable', details: { cause: type, ...(mailId !== undefined && { mailId }) } };
}
