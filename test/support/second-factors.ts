import { createHmac } from 'node:crypto';

import { SqlEntityManager } from '@mikro-orm/sql';
import { expect } from 'vitest';

import { SecondFactorsService } from '../../libs/auth/src/second-factor/second-factors.service.js';
import type { Answer } from './api.js';
import { newPerson, type Person } from './people.js';
import type { Gatehouse } from './start-gatehouse.js';

type SignedIn = { readonly token: string };

/** What an authenticator app shows so many steps of 30 s from now. @param secret in base32 */
export function codeOf(secret: string, steps = 0): string {
  const bits = [...secret].map((letter) =>
    'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'),
  );
  const bytes = (bits.join('').match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2));
  const counter = Buffer.alloc(8);
  counter.writeUInt32BE(Math.floor(Date.now() / 30_000) + steps, 4);
  const mac = createHmac('sha1', Buffer.from(bytes)).update(counter).digest();
  const value = mac.readUInt32BE((mac.at(-1) ?? 0) & 15) & 0x7f_ff_ff_ff;
  return `${value % 1_000_000}`.padStart(6, '0');
}

/** A code that is none of these days. */
export function wrongCodeOf(secret: string): string {
  const near = new Set([-2, -1, 0, 1, 2].map((steps) => codeOf(secret, steps)));
  return ['000000', '111111', '222222', '333333', '444444', '555555'].find((code) => !near.has(code)) ?? '';
}

export const startTotp = async ({ api }: Gatehouse, { token }: SignedIn): Promise<string> => {
  const { status, body, text } = await api.post('/v1/auth/second-factor/totp', { token });
  expect(status, text).toBe(200);
  return body.secret;
};

export type SecondFactor = { readonly secret: string; readonly recoveryCodes: readonly string[] };

/** Sets a second factor up; the code that an app shows now is still good afterwards. */
export async function addTotp(gatehouse: Gatehouse, person: SignedIn): Promise<SecondFactor> {
  const secret = await startTotp(gatehouse, person);
  // that of the step before; when the next step begins meanwhile, it is too old
  const confirm = (): Promise<Answer> =>
    gatehouse.api.post('/v1/auth/second-factor/totp/confirm', {
      token: person.token,
      body: { code: codeOf(secret, -1) },
    });
  const first = await confirm();
  const { status, body, text } = first.status === 200 ? first : await confirm();
  expect(status, text).toBe(200);
  return { secret, recoveryCodes: body.recoveryCodes };
}

/** Somebody new with a second factor. */
export async function newPersonWithTotp(
  gatehouse: Gatehouse,
  fields: Record<string, unknown> = {},
): Promise<Person & SecondFactor> {
  const person = await newPerson(gatehouse, fields);
  return { ...person, ...(await addTotp(gatehouse, person)) };
}

/** Uses a code up as a login does. @returns what it was */
export const useCode = ({ app }: Gatehouse, { id }: { readonly id: string }, code: string) =>
  app
    .get(SqlEntityManager)
    .fork()
    .transactional((em) => app.get(SecondFactorsService).verifyWithin(em, id, code));
