import type { INestApplicationContext } from '@nestjs/common';
import type { Command } from 'commander';
import { z } from 'zod';

import { type ListedMail, MailService, UndeliverableAddressesService } from '#libs/mail';

import { type Environment, inContext, parse, print } from '../operator-context.js';

const mostListed = 1_000;
const address = z.email({ error: 'must be an e-mail address' }).max(254);
const mailId = z.uuid({ error: 'must be the id of a mail, as `mail list` gives it' });

/** Looks after mail: `mail test|list|retry|deliverable`. */
export function addMail(program: Command, environment: Environment): void {
  const run = inContext(environment);
  const mail = program.command('mail').description('look after the mail that Gatehouse sends');
  mail.command('test <address>').description('send a test mail now, and say what the server said').action(run(test));
  mail
    .command('list')
    .description(`list what waits or was given up, those first; at most ${mostListed}`)
    .action(run(list));
  mail.command('retry [id]').description('try again what was given up: one mail, or all').action(run(retry));
  mail
    .command('deliverable <address>')
    .description('send to an address again, after its server had refused it for good')
    .action(run(deliverable));
}

async function test(context: INestApplicationContext, given: string): Promise<void> {
  print(await serviceOf(context).test(parse(address, given)));
}

async function list(context: INestApplicationContext): Promise<void> {
  const mails = await serviceOf(context).list(mostListed);
  for (const mail of mails) print(describe(mail));
  if (mails.length === 0) print('Nothing waits, and nothing was given up.');
}

async function retry(context: INestApplicationContext, given: string | undefined): Promise<void> {
  const id = given === undefined ? undefined : parse(mailId, given);
  const count = await serviceOf(context).retry(id);
  if (id !== undefined && count === 0) throw new Error('No mail with this id was given up.');
  print(`${count} will be tried again by a running replica.`);
}

async function deliverable(context: INestApplicationContext, given: string): Promise<void> {
  const wasMarked = await context.get(UndeliverableAddressesService).forget(given);
  print(wasMarked ? 'Mail is sent to this address again.' : 'Mail is sent to this address: it was not marked.');
}

/** @throws Error that says what to set, while there is no mail */
function serviceOf(context: INestApplicationContext): MailService {
  const service = context.get(MailService);
  if (!service.isOn) throw new Error('MAIL is off: set MAIL=smtp and SMTP_URL, or MAIL=file (docs/mail.md).');
  return service;
}

const describe = ({ id, status, mail, to, attempts, createdAt, dueAt, lastError }: ListedMail): string =>
  [
    id,
    status,
    mail,
    to,
    `since ${createdAt}`,
    `tries ${attempts}`,
    ...(status === 'waiting' ? [`next ${dueAt}`] : []),
    ...(lastError === null ? [] : [lastError]),
  ].join('  ');
