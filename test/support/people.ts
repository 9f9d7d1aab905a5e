import { randomBytes } from 'node:crypto';

import { expect } from 'vitest';

import type { Gatehouse } from './start-gatehouse.js';

export const admin = { userName: 'admin', password: 'tin whistle at dawn' };

export type Person = {
  readonly id: string;
  readonly userName: string;
  readonly password: string;
  readonly token: string;
  readonly refreshToken: string;
  readonly sessionId: string;
};

export const uniqueName = (prefix = 'user'): string => `${prefix}-${randomBytes(5).toString('hex')}`;

/** A body that registers somebody new; only what matters to a test need be given. */
export const registration = (fields: Record<string, unknown> = {}): Record<string, unknown> => ({
  userName: uniqueName(),
  firstName: 'Ada',
  lastName: 'Lovelace',
  password: 'seven green bottles',
  ...fields,
});

/** Somebody new, registered and signed in. */
export async function newPerson(gatehouse: Gatehouse, fields: Record<string, unknown> = {}): Promise<Person> {
  const body = registration(fields);
  const created = await gatehouse.api.post('/v1/users', { body });
  expect(created.status, created.text).toBe(201);
  const person = { userName: String(body['userName']), password: String(body['password']) };
  return { id: created.body.id, ...person, ...(await signIn(gatehouse, person)) };
}

type SignedIn = Pick<Person, 'token' | 'refreshToken' | 'sessionId'>;

type Credentials = { readonly userName: string; readonly password: string; readonly audience?: string };

export async function signIn({ api }: Gatehouse, who: Credentials): Promise<SignedIn> {
  const { userName, password, audience } = who;
  const answer = await api.post('/v1/auth/login', { body: { userName, password, audience } });
  expect(answer.status, answer.text).toBe(200);
  const { accessToken: token, refreshToken, sessionId } = answer.body;
  return { token, refreshToken, sessionId };
}

export const signInAdmin = (gatehouse: Gatehouse): Promise<SignedIn> => signIn(gatehouse, admin);

/** Whether an access token is accepted. */
export async function isAccepted({ api }: Gatehouse, token: string): Promise<boolean> {
  const { status } = await api.get('/v1/users/me', { token });
  expect([200, 401]).toContain(status);
  return status === 200;
}
