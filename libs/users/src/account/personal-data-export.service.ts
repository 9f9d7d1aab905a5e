import { Readable } from 'node:stream';

import { Injectable } from '@nestjs/common';

import { callerKey, type RequestSource } from '#libs/platform/access';
import { PersonalData } from '#libs/platform/personal-data';
import { CallerPlaces } from '#libs/platform/queues';
import { AuditTrail } from '#libs/security/audit';

import { changeableId } from './user-access.js';
import type { UserView } from './users.schema.js';
import { UsersService } from './users.service.js';

/** After this many rows the caller's right to read is checked again. */
const askEveryRows = 500;

/** Exports what every feature keeps about a user (GDPR articles 15 and 20). */
@Injectable()
export class PersonalDataExportService {
  readonly #places = new CallerPlaces({ all: 20, perCaller: 2 }, 'Other exports are running.');

  constructor(
    private readonly users: UsersService,
    private readonly personalData: PersonalData,
    private readonly audit: AuditTrail,
  ) {}

  /**
   * One JSON object: `exportedAt`, `user`, then an array for each kind of data. A stream that reads
   * a page of rows at a time as fast as the client takes them, since nothing bounds their number.
   * It ends without its closing brace when the database fails or the caller may no longer read.
   * @throws AppError `forbidden`, `user-not-found`, `overloaded`
   */
  async export(id: string, source: RequestSource): Promise<{ userId: string; json: Readable }> {
    const { user } = await this.users.get(changeableId(id, source.caller), source.caller);
    const leave = this.#places.take(callerKey(source.caller));
    try {
      await this.audit.record({ event: 'user-exported', userId: user.id }, source);
    } catch (error) {
      leave();
      throw error;
    }
    const json = Readable.from(this.#pieces(user, source), { objectMode: false });
    return { userId: user.id, json: json.once('close', leave) };
  }

  async *#pieces(user: UserView, { callerNow }: RequestSource): AsyncGenerator<string> {
    let rows = 0;
    yield `{"exportedAt":${JSON.stringify(new Date().toISOString())},"user":${JSON.stringify(user)}`;
    for (const { name, export: rowsOf } of this.personalData.sources) {
      yield `,${JSON.stringify(name)}:[`;
      let separator = '';
      for await (const row of rowsOf(user.id)) {
        if (++rows % askEveryRows === 0) changeableId(user.id, await callerNow());
        yield separator + JSON.stringify(row);
        separator = ',';
      }
      yield ']';
    }
    yield '}';
  }
}
