import { Readable } from 'node:stream';

import { Injectable } from '@nestjs/common';

import { AuditTrail } from '#libs/audit';
import type { Origin } from '#libs/platform/access';
import { PersonalData } from '#libs/platform/personal-data';

import { changeableId } from './user-access.js';
import type { UserView } from './users.schema.js';
import { UsersService } from './users.service.js';

/** All that is kept about a user, of every feature (GDPR articles 15 and 20). */
@Injectable()
export class UserExport {
  constructor(
    private readonly users: UsersService,
    private readonly personalData: PersonalData,
    private readonly audit: AuditTrail,
  ) {}

  /**
   * One JSON object: `exportedAt`, `user`, then an array for each kind of data. A stream, since nothing bounds how much
   * there is; it breaks off without its closing brace when the database goes away.
   * @throws AppError `forbidden`, `user-not-found`
   */
  async export(id: string, origin: Origin): Promise<{ userId: string; json: Readable }> {
    const { user } = await this.users.get(changeableId(id, origin.caller), origin.caller);
    await this.audit.record({ event: 'user-exported', userId: user.id }, origin);
    return { userId: user.id, json: Readable.from(this.#pieces(user), { objectMode: false }) };
  }

  async *#pieces(user: UserView): AsyncGenerator<string> {
    yield `{"exportedAt":${JSON.stringify(new Date().toISOString())},"user":${JSON.stringify(user)}`;
    for (const { name, export: rowsOf } of this.personalData.holders) {
      yield `,${JSON.stringify(name)}:[`;
      let separator = '';
      for await (const row of rowsOf(user.id)) {
        yield separator + JSON.stringify(row);
        separator = ',';
      }
      yield ']';
    }
    yield '}';
  }
}
