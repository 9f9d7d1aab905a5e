import { readFileSync } from 'node:fs';

import { userPassword } from './accounts.ts';
import { call, graph } from './call.ts';
import { login, patch, refresh, signedIn, type Step } from './upgrade-stage.ts';

/** What people and services do with tokens that stay good. */
export const reads: readonly Step[] = [
  {
    name: 'log in, use on the other',
    run: async (stage) => {
      const { own, foreign, account } = await signedIn(stage, 'login');
      const here = await call(stage.at, '/v1/users/me', { token: foreign.accessToken });
      const there = await call(stage.other, '/v1/users/me', { token: own.accessToken });
      if (here.id !== account.id || there.id !== account.id) throw new Error('somebody else');
      await call(stage.other, '/v1/auth/sessions', { token: own.accessToken });
    },
  },
  {
    name: 'the same over GraphQL',
    run: async ({ at, other, board, newcomer }) => {
      const { userName } = newcomer();
      const made = await graph(
        at,
        `mutation { login(userName: "${userName}", password: "${userPassword}") { accessToken refreshToken } }`,
      );
      board.good('GraphQL login', made.login.accessToken);
      const seen = await graph(other, '{ me { id userName roles sessions { id } } }', made.login.accessToken);
      if (seen.me.userName !== userName) throw new Error('somebody else');
      const text = `mutation { refresh(refreshToken: "${made.login.refreshToken}") { accessToken } }`;
      board.good('GraphQL refresh', (await graph(other, text)).refresh.accessToken);
    },
  },
  {
    name: 'refresh back and forth',
    run: async ({ at, other, board, newcomer }) => {
      let tokens = await login(at, newcomer());
      for (const server of [other, at, other, other, at]) {
        board.good('refresh', tokens.accessToken);
        tokens = await refresh(server, tokens);
      }
      board.good('refresh', tokens.accessToken);
    },
  },
  {
    name: 'lists, search, one user, audit',
    run: async ({ at, admin, key, newcomer }) => {
      const { id, userName } = newcomer();
      const one = await call(at, `/v1/users/${id}`, { token: admin });
      const named = await call(at, `/v1/users/by-user-name/${userName}`, { key });
      const [, search] = [
        await call(at, '/v1/users?role=admin', { key }),
        await call(at, `/v1/users?q=${userName}`, { key }),
      ];
      if (one.id !== id || named.id !== id || search.items[0]?.id !== id) throw new Error('not found');
      await call(at, '/v1/users?limit=100&count=exact&sort=-createdAt', { token: admin });
      await call(at, '/v1/audit?limit=50', { token: admin });
      await graph(at, '{ users(first: 20) { nodes { id roles avatar { url } sessions { id } } } }', admin);
    },
  },
];

/** What changes users, and leaves their tokens good but where roles change. */
export const writes: readonly Step[] = [
  {
    name: 'register, log in on the other',
    run: async ({ at, other, board, unique }) => {
      const userName = `new${unique()}`;
      const body = {
        userName,
        firstName: 'Ada',
        lastName: 'L',
        password: userPassword,
        email: `${userName}@example.org`,
      };
      const made = await call(at, '/v1/users', { method: 'POST', body, expect: 201 });
      board.good('registered', (await login(other, { id: made.id, userName })).accessToken);
      await call(other, '/v1/users', { method: 'POST', body, expect: 409 });
    },
  },
  {
    name: 'change own names',
    run: async (stage) => {
      const { own, account } = await signedIn(stage, 'own names');
      await patch(stage.at, own.accessToken, account.id, { firstName: 'Grace' });
      const there = await patch(stage.other, own.accessToken, account.id, { lastName: 'Hopper' });
      if (there.firstName !== 'Grace') throw new Error('a change was lost');
      await patch(stage.other, own.accessToken, account.id, { roles: ['admin'] }, 403);
    },
  },
  {
    name: 'make an administrator, take it back',
    run: async (stage) => {
      const { at, other, board, admin } = stage;
      const { account, own, both } = await signedIn(stage, 'roles');
      await patch(at, admin, account.id, { roles: ['user', 'admin'] });
      board.ended('roles given', ...both);
      const risen = await refresh(other, own);
      board.good('administrator', risen.accessToken);
      for (const server of [at, other]) await call(server, '/v1/users?limit=1', { token: risen.accessToken });
      await patch(other, admin, account.id, { roles: ['user'] });
      board.ended('roles taken', risen.accessToken);
      board.good('user again', (await refresh(at, risen)).accessToken);
    },
  },
  {
    name: 'picture',
    run: async (stage) => {
      const { own } = await signedIn(stage, 'picture');
      const body = new FormData();
      const file = new URL('../../tools/collection/avatar.png', import.meta.url);
      body.append('file', new Blob([Uint8Array.from(readFileSync(file))]), 'avatar.png');
      const user = await call(stage.at, '/v1/users/me/avatar', { method: 'PUT', token: own.accessToken, body });
      for (const server of [stage.at, stage.other]) await call(server, new URL(user.avatar.url).pathname);
      await call(stage.other, '/v1/users/me/avatar', { method: 'DELETE', token: own.accessToken });
    },
  },
  {
    name: 'messages',
    run: async (stage) => {
      const { own } = await signedIn(stage, 'messages');
      const token = own.accessToken;
      const sent = await call(stage.at, '/v1/messages', {
        method: 'POST',
        token,
        body: { body: 'hello' },
        expect: 201,
      });
      const path = `/v1/messages/${new URL(sent.url).hash.slice(1)}`;
      const read = await call(stage.other, `${path}/reveal`, { method: 'POST' });
      if (read.body !== 'hello') throw new Error('another message');
      await call(stage.other, '/v1/messages', { token });
      await call(stage.other, path, { method: 'DELETE', token, expect: 204 });
      await call(stage.at, path, { token, expect: 404 });
    },
  },
  {
    name: 'import over HTTP, again on the other',
    run: async ({ at, other, admin, unique }) => {
      const row = { userName: `in${unique()}`, firstName: 'In', lastName: 'Coming', roles: ['user', 'admin'] };
      const body = `${JSON.stringify(row)}\n`;
      const first = String(await call(at, '/v1/users/import', { method: 'POST', token: admin, body }));
      const again = String(await call(other, '/v1/users/import', { method: 'POST', token: admin, body }));
      if (!first.includes('"created"') || !/exists|skipped/.test(again)) throw new Error(`${first} ${again}`);
    },
  },
];
