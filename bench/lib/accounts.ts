import { randomBytes } from 'node:crypto';

import { Connection, jsonRequest } from './connection.ts';
import type { Database } from './database.ts';
import { adminPassword, type Server } from './replica.ts';

export const userPassword = 'bench-Someone-4826';

export type Tokens = { readonly accessToken: string; readonly refreshToken: string; readonly sessionId: string };
export type Account = { readonly id: string; readonly userName: string };

/**
 * Makes accounts that share one password: the first is registered over HTTP, the others get its
 * hash by SQL, since hashing is not what is measured.
 */
export async function seedAccounts(server: Server, database: Database, count: number): Promise<readonly Account[]> {
  const prefix = `bench${randomBytes(3).toString('hex')}`;
  const first = { userName: `${prefix}x0`, firstName: 'Ada', lastName: 'Lovelace', password: userPassword };
  const answer = await post(server, '/v1/users', { ...first, email: `${prefix}x0@example.org` });
  if (answer.status !== 201) throw new Error(`registration: ${answer.status} ${await answer.text()}`);
  await answer.body?.cancel();
  return database.query<{ id: string; userName: string }>(
    `with seed as (select * from users where user_name_key = $1 || 'x0'), made as (
      insert into users (id, user_name, user_name_key, first_name, last_name, email, email_key, roles, password_hash,
        created_at, updated_at)
      select gen_random_uuid(), $1 || 'x' || n, $1 || 'x' || n, 'Ada', 'Lovelace', $1 || 'x' || n || '@example.org',
        $1 || 'x' || n || '@example.org', roles, password_hash, now(), now()
      from seed, generate_series(1, $2::int) n returning id, user_name
    ) select id, user_name as "userName" from made`,
    [prefix, count],
  );
}

export const loginRequest = (userName: string, password: string): string =>
  jsonRequest('POST', '/v1/auth/login', { userName, password });

/** Signs accounts in over HTTP, four at a time, in the order given. */
export async function signIn(port: number, accounts: readonly Account[]): Promise<readonly Tokens[]> {
  const tokens: Tokens[] = [];
  const todo = accounts.entries();
  await Promise.all(
    Array.from({ length: 4 }, async () => {
      const connection = await Connection.open(port);
      for (const [at, { userName }] of todo) {
        const { status, body } = await connection.send(loginRequest(userName, userPassword));
        if (status !== 200) throw new Error(`login: ${status} ${body}`);
        tokens[at] = JSON.parse(body) as Tokens;
      }
      connection.close();
    }),
  );
  return tokens;
}

export async function signInAdmin(server: Server): Promise<Tokens> {
  const answer = await post(server, '/v1/auth/login', { userName: 'admin', password: adminPassword });
  if (answer.status !== 200) throw new Error(`admin login: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as Tokens;
}

export const post = (server: Server, path: string, body: unknown): Promise<Response> =>
  fetch(server.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
