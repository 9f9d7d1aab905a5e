import { expect } from 'vitest';

import type { Answer } from './api.js';
import type { Gatehouse } from './start-gatehouse.js';

type Credentials = { readonly userName: string; readonly password: string; readonly audience?: string };
type Wish = { readonly headers?: Record<string, string> };

/** The first step: the right password of somebody with a second factor. @returns the challenge */
export async function challengeOf({ api }: Gatehouse, who: Credentials, wish: Wish = {}): Promise<string> {
  const { userName, password, audience } = who;
  const { status, body, text } = await api.post('/v1/auth/login', { body: { userName, password, audience }, ...wish });
  expect([status, body.code], text).toEqual([401, 'second-factor-required']);
  return body.challenge;
}

/** The second step, whatever comes of it. */
export const complete = ({ api }: Gatehouse, challenge: string, code: string, wish: Wish = {}): Promise<Answer> =>
  api.post('/v1/auth/login/second-factor', { body: { challenge, code }, ...wish });
