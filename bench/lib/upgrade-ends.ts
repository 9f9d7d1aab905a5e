import { type Tokens, userPassword } from './accounts.ts';
import { call } from './call.ts';
import type { Server } from './replica.ts';
import { login, patch, refresh, signedIn, type Step } from './upgrade-stage.ts';

const otherPassword = 'bench-Another-1973';
const form = (fields: Readonly<Record<string, string>>): URLSearchParams => new URLSearchParams(fields);

/** Each way by which tokens end, but for everything at once. */
export const ends: readonly Step[] = [
  {
    name: 'introspect, explain',
    run: async (stage) => {
      const { at, key, admin } = stage;
      const { both } = await signedIn(stage, 'introspection');
      for (const token of both) {
        const seen = await call(at, '/v1/auth/introspect', { method: 'POST', key, body: form({ token }) });
        const told = await call(at, '/v1/auth/explain', { method: 'POST', token: admin, body: { token } });
        if (seen.active !== true) throw new Error(`not active: ${JSON.stringify(told)}`);
      }
    },
  },
  {
    name: 'revoke an access token (RFC 7009)',
    run: async (stage) => {
      const { at, other, key, board } = stage;
      const { own, foreign } = await signedIn(stage, 'revocation');
      const token = foreign.accessToken;
      await call(at, '/v1/auth/revoke', { method: 'POST', key, body: form({ token }) });
      board.ended('access token revoked', token);
      const seen = await call(other, '/v1/auth/introspect', { method: 'POST', key, body: form({ token }) });
      if (seen.active !== false) throw new Error('still active');
      board.good('its session goes on', (await refresh(at, foreign)).accessToken, own.accessToken);
    },
  },
  {
    name: 'revoke a refresh token (RFC 7009)',
    run: async (stage) => {
      const { at, other, key, board } = stage;
      const { foreign } = await signedIn(stage, 'revocation');
      await call(at, '/v1/auth/revoke', { method: 'POST', key, body: form({ token: foreign.refreshToken }) });
      board.ended('refresh token revoked', foreign.accessToken);
      await refresh(other, foreign, 401);
    },
  },
  {
    name: 'log out',
    run: async (stage) => {
      const { at, other, board } = stage;
      const { foreign } = await signedIn(stage, 'logout');
      await call(at, '/v1/auth/logout', { method: 'POST', token: foreign.accessToken, expect: 204 });
      board.ended('logged out', foreign.accessToken);
      await refresh(other, foreign, 401);
    },
  },
  {
    name: 'log out everywhere',
    run: async (stage) => {
      const { own, both } = await signedIn(stage, 'logout');
      await call(stage.at, '/v1/auth/logout-all', { method: 'POST', token: own.accessToken, expect: 204 });
      stage.board.ended('logged out everywhere', ...both);
      await refresh(stage.other, own, 401);
    },
  },
  {
    name: 'end another session, and those of others',
    run: async (stage) => {
      const { at, board, admin } = stage;
      const { account, own, foreign } = await signedIn(stage, 'sessions');
      const end = { method: 'DELETE', expect: 204 };
      await call(at, `/v1/auth/sessions/${foreign.sessionId}`, { ...end, token: own.accessToken });
      board.ended('session ended by its user', foreign.accessToken);
      await call(at, `/v1/auth/sessions/${own.sessionId}?userId=${account.id}`, { ...end, token: admin });
      board.ended('session ended by an administrator', own.accessToken);
    },
  },
  {
    name: 'deactivate, activate on the other',
    run: async (stage) => {
      const { at, other, board, admin } = stage;
      const { account, both } = await signedIn(stage, 'deactivation');
      await patch(at, admin, account.id, { status: 'deactivated' });
      board.ended('deactivated', ...both);
      await patch(other, admin, account.id, { status: 'active' });
      board.good('active again', (await login(at, account)).accessToken, (await login(other, account)).accessToken);
    },
  },
  {
    name: 'change own password',
    run: async (stage) => {
      const { at, other, board } = stage;
      const { account, own, foreign } = await signedIn(stage, 'password');
      const body = { currentPassword: userPassword, password: otherPassword };
      const request = { method: 'PUT', token: own.accessToken, body };
      const next: Tokens = await call(at, `/v1/users/${account.id}/password`, request);
      board.ended('password changed', foreign.accessToken);
      board.good('after its password', next.accessToken);
      board.good('with the new password', (await login(other, account, otherPassword)).accessToken);
      await refresh(other, foreign, 401);
      await refresh(other, next);
    },
  },
  {
    name: 'set the password of somebody',
    run: async (stage) => {
      const { at, other, board, admin } = stage;
      const { account, both } = await signedIn(stage, 'password set');
      const request = { method: 'PUT', token: admin, body: { password: otherPassword }, expect: 204 };
      await call(at, `/v1/users/${account.id}/password`, request);
      board.ended('password set', ...both);
      board.good('with the set password', (await login(other, account, otherPassword)).accessToken);
    },
  },
  {
    name: 'give the password again',
    run: async (stage) => {
      const { foreign } = await signedIn(stage, 'reauthentication');
      const request = { method: 'POST', token: foreign.accessToken, body: { password: userPassword } };
      const made = await call(stage.at, '/v1/auth/reauthenticate', request);
      stage.board.good('reauthenticated', made.accessToken);
    },
  },
  {
    name: 'delete a user',
    run: async (stage) => {
      const { account, own, both } = await signedIn(stage, 'deletion');
      await call(stage.at, `/v1/users/${account.id}/export`, { token: own.accessToken });
      await call(stage.at, `/v1/users/${account.id}`, { method: 'DELETE', token: stage.admin, expect: 204 });
      stage.board.ended('deleted', ...both);
    },
  },
];

export const services: readonly Step[] = [
  {
    name: 'a service: make, change, rotate, deactivate, delete',
    run: async ({ at, other, board, admin, newcomer, unique }) => {
      const name = `svc-${unique()}`;
      const path = `/v1/services/${name}`;
      const created = { method: 'POST', token: admin, body: { name, scopes: ['users:read'] }, expect: 201 };
      const first = `${name}.${(await call(at, '/v1/services', created)).secret}`;
      const list = (server: Server, key: string, expect = 200) => call(server, '/v1/users?limit=1', { key, expect });
      for (const server of [at, other]) await list(server, first);
      await call(other, path, { method: 'PATCH', token: admin, body: { scopes: ['users:write'] } });
      for (const server of [at, other]) await untilAnswered(() => list(server, first, 403));
      await call(at, path, { method: 'PATCH', token: admin, body: { scopes: ['users:read', 'users:write'] } });
      for (const server of [at, other]) await untilAnswered(() => list(server, first));
      const rotated = await call(other, `${path}/secret?revoke=true`, { method: 'POST', token: admin });
      const second = `${name}.${rotated.secret}`;
      for (const server of [at, other]) {
        await untilAnswered(() => list(server, second));
        await list(server, first, 401);
      }
      const inSession = (await login(other, newcomer(), userPassword, second)).accessToken;
      board.good('signed in by a service', inSession);
      await call(at, path, { method: 'PATCH', token: admin, body: { status: 'deactivated' } });
      board.ended('its service deactivated', inSession);
      for (const server of [at, other]) await untilAnswered(() => list(server, second, 401));
      await call(other, path, { method: 'DELETE', token: admin, expect: 204 });
      await call(at, path, { token: admin, expect: 404 });
    },
  },
];

/** A change of a service is promised everywhere within milliseconds; here within a second. */
async function untilAnswered(request: () => Promise<unknown>): Promise<void> {
  const until = performance.now() + 1_000;
  for (;;) {
    try {
      await request();
      return;
    } catch (error) {
      if (performance.now() > until) throw error;
    }
  }
}
