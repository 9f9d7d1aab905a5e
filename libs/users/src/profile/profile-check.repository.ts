import { Injectable } from '@nestjs/common';

import { Sql, type Statement } from '#libs/platform/database';
import type { FieldError } from '#libs/platform/errors';

import type { JsonObject } from './json-object.js';
import { profileFields, ProfileSchemas } from './profile-schemas.js';

/** A fault of what is kept about a user. */
export type Misfit = Pick<FieldError, 'path' | 'message'> & { readonly id: string; readonly userName: string };

type Row = {
  readonly id: string;
  readonly user_name: string;
  readonly profile: JsonObject | null;
  readonly metadata: JsonObject | null;
};

const pageRows = 1_000;
/** Null for the empty object, which most users have. */
const page: Statement = {
  text: `select id, user_name, nullif(profile, '{}') as profile, nullif(metadata, '{}') as metadata
    from users where id > $1::uuid order by id limit $2`,
};
const beforeAll = '00000000-0000-0000-0000-000000000000';

/** Finds what was written before the schemas were as they are now. */
@Injectable()
export class ProfileCheckRepository {
  constructor(
    private readonly sql: Sql,
    private readonly schemas: ProfileSchemas,
  ) {}

  /** In the order of ids. An empty object counts as one that was never written. */
  async *misfits(): AsyncGenerator<Misfit> {
    let rows: Row[] = [];
    do {
      rows = await this.sql.rows<Row>(page, [rows.at(-1)?.id ?? beforeAll, pageRows]);
      for (const row of rows) yield* this.#misfitsOf(row);
    } while (rows.length === pageRows);
  }

  #misfitsOf(row: Row): readonly Misfit[] {
    return profileFields.flatMap((field) =>
      this.schemas
        .faultsOf(field, row[field] ?? undefined)
        .map(({ path, message }) => ({ id: row.id, userName: row.user_name, path, message })),
    );
  }
}
