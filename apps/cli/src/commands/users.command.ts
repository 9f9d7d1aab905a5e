import process, { stderr } from 'node:process';

import { type Command, InvalidArgumentError, Option } from 'commander';

import { LoginDelaysService, SecondFactorResetService } from '#libs/auth';
import { DataDirInUseError } from '#libs/platform/database';
import type { ColumnMap } from '#libs/user-import';
import { ProfileCheckRepository } from '#libs/users';

import { exportUsers, type ExportFlags } from './export-users.js';
import { importUsers, type ImportFlags } from './import-users.js';
import { type Environment, print, withContext } from '../operator-context.js';

/**
 * `users import|export|lift-delay|reset-second-factor|check-profiles`. With the embedded database,
 * the service must be stopped.
 */
export function addUsers(program: Command, environment: Environment): void {
  const users = program.command('users').description('move users in and out; let one in whom a delay keeps out');
  users
    .command('import <file>')
    .description('bring users in from a file, or from `-` for standard input; run it again to go on')
    .addOption(new Option('--format <format>', 'of the file; by its name if absent').choices(['ndjson', 'csv']))
    .option(
      '--map <column=field>',
      'CSV: what a column is, such as user_id=subject or dept=profile.department; `column=` leaves it out; may come often',
      addColumn,
      {},
    )
    .option('--delimiter <sign>', 'CSV: what separates cells; by its first line if absent')
    .addOption(onExisting)
    .option('--report <file>', 'write a line of JSON for each row to a new file')
    .option('--dry-run', 'check everything, write nothing')
    .action((file: string, flags: ImportFlags) => explaining(() => importUsers(environment, file, flags)));
  users
    .command('export [file]')
    .description('write users to a file, or to standard output, as rows that an import takes')
    .addOption(new Option('--format <format>', 'of the file; by its name if absent').choices(['ndjson', 'csv']))
    .option('--with-hashes', 'with the hashes of passwords: keep such a file as you would keep the database')
    .option(
      '--for-spreadsheets',
      "CSV: put ' before cells that a spreadsheet takes for formulas, and a byte order mark before all; no exact copy",
    )
    .option('--force', 'put the new file in the place of one that is there')
    .action((file: string | undefined, flags: ExportFlags) => explaining(() => exportUsers(environment, file, flags)));
  users
    .command('lift-delay <userName>')
    .description('forget the failed logins of a user, so that nothing delays the next one; takes an address too')
    .action((userName: string) => explaining(() => liftDelay(environment, userName)));
  users
    .command('reset-second-factor <userName>')
    .description('take the second factor from a user who has lost it; the password stays; takes an address too')
    .action((userName: string) => explaining(() => resetSecondFactor(environment, userName)));
  users
    .command('check-profiles')
    .description('list whose profile or metadata does not fit the schemas as they are now; exit code 1 if any')
    .action(() => explaining(() => checkProfiles(environment)));
}

const liftDelay = (environment: Environment, userName: string): Promise<number> =>
  withContext(environment, async (context) => {
    await context.get(LoginDelaysService).liftByName(userName);
    print('The failed logins are forgotten.');
    return 0;
  });

const resetSecondFactor = (environment: Environment, userName: string): Promise<number> =>
  withContext(environment, async (context) => {
    await context.get(SecondFactorResetService).resetByName(userName);
    print('The second factor is removed: the next login needs the password alone.');
    return 0;
  });

/** A line for each fault: id, user name, path and message, with tabs between. */
const checkProfiles = (environment: Environment): Promise<number> =>
  withContext(environment, async (context) => {
    let exitCode = 0;
    for await (const { id, userName, path, message } of context.get(ProfileCheckRepository).misfits()) {
      print([id, userName, oneLine(path), oneLine(message)].join('\t'));
      exitCode = 1;
    }
    return exitCode;
  });

/** Names of members may hold anything. */
const oneLine = (text: string): string => text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]/gu, '\uFFFD');

const onExisting = new Option(
  '--on-existing <what>',
  'users that exist: leave them, or bring names and address up to date',
)
  .choices(['skip', 'update'])
  .default('skip');

function addColumn(text: string, columns: ColumnMap): ColumnMap {
  const at = text.lastIndexOf('=');
  if (at < 1) throw new InvalidArgumentError('Write it as column=field.');
  return { ...columns, [text.slice(0, at)]: text.slice(at + 1) };
}

async function explaining(work: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await work();
  } catch (error) {
    if (!(error instanceof DataDirInUseError)) throw error;
    stderr.write(`${error.message}.\nWhile the service runs on the embedded database, use its routes instead:\n`);
    stderr.write('POST /v1/users/import takes the same rows, GET /v1/users lists users.\n');
    process.exitCode = 1;
  }
}
