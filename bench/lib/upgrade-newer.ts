import { type Account, type Tokens } from './accounts.ts';
import { call } from './call.ts';
import { meRequest } from './connection.ts';
import type { Database } from './database.ts';
import type { Server } from './replica.ts';
import { statusOf } from './trust.ts';
import { login, type Stage } from './upgrade-stage.ts';

/** A token that only one version issues, and what each version says of it. */
export type Newer = { readonly token: string; readonly old: number; readonly new: number; readonly says: string };

const ended = (kind: string, name: string): string => `with entry as (
    insert into revocations (kind, subject, name, generation, cause, expires_at)
    values ('${kind}', md5('${kind} ${name}')::uuid, '${name}', 1, 'upgrade', now() + interval '1 hour')
    returning kind, subject, generation, extract(epoch from expires_at)::bigint as ends
  ) select pg_notify('gatehouse', 'revocation ' || json_build_array(kind, subject, generation, ends)) from entry`;

/** Entries of kinds that the version before does not know, as a change of a role writes them. */
export async function writeNewerEntries(database: Database): Promise<void> {
  for (let at = 0; at < 10; at++) {
    await database.query(ended('role', `role-${at}`));
    await database.query(ended('service', `service-${at}`));
  }
}

/**
 * Makes what is to be made only when every replica is new, beside replicas that are old, and looks
 * whether each version does with it what docs/operations.md says.
 */
export async function meetNewerRows(stage: Stage, database: Database): Promise<readonly Newer[]> {
  const { at: old, other: current, admin, key, newcomer } = stage;
  const [imported, editor] = [newcomer(), newcomer()];
  await database.query("insert into roles (name, permissions) values ('editor', '{articles:write}')");
  await database.query('update role_generation set value = value + 1');
  await database.query("select pg_notify('gatehouse', 'roles changed')");
  await database.query(
    `update users set subject = 'legacy-1', profile = '{"a": 1}', metadata = '{"b": 2}' where id = $1`,
    [imported.id],
  );
  await database.query("update users set roles = '{user,editor}' where id = $1", [editor.id]);
  for (const { id } of [imported, editor]) {
    for (const server of [old, current]) await call(server, `/v1/users/${id}`, { token: admin });
    await call(old, `/v1/users/${id}`, { method: 'PATCH', token: admin, body: { firstName: 'Still' } });
  }
  await call(old, '/v1/users?limit=100', { key });
  const kept = await database.query('select from users where roles @> $1 and id = $2', [['editor'], editor.id]);
  if (kept.length === 0) throw new Error('a change of a name by the version before took a role away');
  return [
    await judge(old, current, { account: imported, by: old, expect: [200, 200], what: 'a user with a subject' }),
    await judge(old, current, { account: imported, by: current, expect: [401, 200], what: 'a user with a subject' }),
    await judge(old, current, { account: editor, by: old, expect: [401, 200], what: 'a user with a new role' }),
    await judge(old, current, { account: editor, by: current, expect: [401, 200], what: 'a user with a new role' }),
  ];
}

type Judged = {
  readonly account: Account;
  readonly by: Server;
  readonly expect: readonly number[];
  readonly what: string;
};

async function judge(old: Server, current: Server, { account, by, expect, what }: Judged): Promise<Newer> {
  const tokens: Tokens = await login(by, account);
  const [atOld, atNew] = await Promise.all(
    [old, current].map(({ port }) => statusOf(port, meRequest(tokens.accessToken))),
  );
  return {
    token: `${what}, signed in by the ${by === old ? 'old' : 'new'} version`,
    old: atOld ?? 0,
    new: atNew ?? 0,
    says: atOld === expect[0] && atNew === expect[1] ? 'as documented' : `WRONG: ${expect.join(' and ')}`,
  };
}
