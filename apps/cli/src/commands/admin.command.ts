import type { INestApplicationContext } from '@nestjs/common';
import type { Command } from 'commander';

import { PasswordChangeService } from '#libs/auth';
import { type Config, CONFIG } from '#libs/platform/config';
import { AppError } from '#libs/platform/errors';
import { AdminsService, UsersRepository } from '#libs/users';

import { type Environment, inContext, print } from '../operator-context.js';

const namesShown = 20;

/** For operators whose administrator is missing or locked out: `admin create|reset`. */
export function addAdmin(program: Command, environment: Environment): void {
  const run = inContext(environment);
  const admin = program.command('admin').description('look after administrators');
  admin
    .command('create <userName>')
    .description('make an administrator; the password is shown once')
    .action(run(create));
  admin
    .command('reset [userName]')
    .description('give an administrator a new password, shown once, and end all their sessions')
    .action(run(reset));
}

async function create(context: INestApplicationContext, name: string): Promise<void> {
  const { userName, password } = await context.get(AdminsService).create(name);
  show(userName, password);
}

async function reset(context: INestApplicationContext, name: string | undefined): Promise<void> {
  const userName = name ?? context.get<Config>(CONFIG).ADMIN_USER_NAME;
  try {
    show(userName, await context.get(PasswordChangeService).resetAdmin(userName));
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'user-not-found') throw error;
    throw new Error(await noSuchAdmin(context, userName), { cause: error });
  }
}

async function noSuchAdmin(context: INestApplicationContext, userName: string): Promise<string> {
  const names = await context.get(UsersRepository).findAdminNames(namesShown);
  const advice =
    names.length > 0
      ? `Administrators are: ${names.join(', ')}. Name one of them: admin reset <userName>`
      : 'There is no administrator at all: admin create <userName> makes one';
  return `There is no administrator ${userName}. ${advice}`;
}

const show = (userName: string, password: string): void =>
  print(`${userName}, password ${password}: shown this once and kept nowhere`);
