import { expect, onTestFinished, test, vi } from 'vitest';

import { Sql } from '#libs/platform/database';

import { newPerson } from '../support/people.js';
import { recordRows } from '../support/statements.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse();

test('profile and metadata are not read for tokens when no claim is declared from them', async () => {
  const { api } = gatehouse;
  const { id, userName, password } = await newPerson(gatehouse);
  const text = `update users set profile = '{"a": "in the profile"}', metadata = '{"a": "in the metadata"}' where id = $1`;
  await gatehouse.app.get(Sql).rows({ text }, [id]);
  const rows = await recordRows(gatehouse);
  onTestFinished(() => void vi.restoreAllMocks());
  const login = await api.post('/v1/auth/login', { body: { userName, password } });
  const { accessToken: token, refreshToken } = login.body;
  const refreshed = await api.post('/v1/auth/refresh', { body: { refreshToken } });
  const retried = await api.post('/v1/auth/refresh', { body: { refreshToken } });
  const again = await api.post('/v1/auth/reauthenticate', { token, body: { password } });
  expect([login, refreshed, retried, again].map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  const read = JSON.stringify(rows);
  expect(read).toContain(id);
  expect(read).not.toContain('in the');
});
