import 'reflect-metadata';
import { argv, env, exit, stderr } from 'node:process';

import { Logger } from '@nestjs/common';
import { Command } from 'commander';

import { addAdmin } from './admin.command.js';
import { addKeys } from './keys.command.js';
import { addMigrate } from './migrate.command.js';
import { addServices } from './services.command.js';
import { addSettings } from './settings.command.js';
import { addUsers } from './users.command.js';

// what a command has to say it says itself
Logger.overrideLogger(['warn', 'error', 'fatal']);

const program = new Command('gatehouse')
  .description("The operator's commands. They read the same variables as the service: see .env.example.")
  .showHelpAfterError();

addAdmin(program, env);
addMigrate(program, env);
addKeys(program, env);
addServices(program, env);
addSettings(program, env);
addUsers(program, env);

program.parseAsync(argv).catch((error: unknown) => {
  stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  exit(1);
});
