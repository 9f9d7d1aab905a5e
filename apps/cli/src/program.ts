import 'reflect-metadata';
import { argv, env, exit, stderr } from 'node:process';

import { Logger } from '@nestjs/common';
import { Command } from 'commander';

import { addAdmin } from './commands/admin.command.js';
import { addDatabase } from './commands/database.command.js';
import { addKeys } from './commands/keys.command.js';
import { addMail } from './commands/mail.command.js';
import { addRoles } from './commands/roles.command.js';
import { addServices } from './commands/services.command.js';
import { addUsers } from './commands/users.command.js';

// Commands print for themselves; Nest's own messages would get in between.
Logger.overrideLogger(['warn', 'error', 'fatal']);

const program = new Command('gatehouse')
  .description("The operator's commands. They read the same variables as the service: see .env.example.")
  .showHelpAfterError();

addAdmin(program, env);
addDatabase(program, env);
addKeys(program, env);
addMail(program, env);
addRoles(program, env);
addServices(program, env);
addUsers(program, env);

program.parseAsync(argv).catch((error: unknown) => {
  stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  exit(1);
});
