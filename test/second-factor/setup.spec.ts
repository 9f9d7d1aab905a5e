import { beforeAll, describe, expect, test } from 'vitest';

import { Sql, Sweeper } from '#libs/platform/database';

import type { Answer } from '../support/api.js';
import { newPerson, type Person, signIn, signInAdmin } from '../support/people.js';
import { addTotp, codeOf, newPersonWithTotp, startTotp, useCode, wrongCodeOf } from '../support/second-factors.js';
import { newService } from '../support/services.js';
import { nowSeconds, takeApart, withClaims } from '../support/tokens.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const route = '/v1/auth/second-factor';
const recoveryCode = /^[0-9a-hjkmnp-tv-z]{5}-[0-9a-hjkmnp-tv-z]{5}$/;

const gatehouse = useGatehouse({ own: true });
let person: Person;

beforeAll(async () => {
  person = await newPerson(gatehouse);
});

const rows = <Row = Record<string, unknown>>(text: string, values: readonly unknown[] = []): Promise<Row[]> =>
  gatehouse.app.get(Sql).rows<Row>({ text }, values);
const view = async ({ token }: { token: string }): Promise<any> => (await gatehouse.api.get(route, { token })).body;
const confirm = ({ token }: { token: string }, code: string): Promise<Answer> =>
  gatehouse.api.post(`${route}/totp/confirm`, { token, body: { code } });
const outcomeOf = ({ status, body }: Answer): [number, string] => [status, body.code];
/** The same token, of somebody who gave the password too long ago. */
const stale = ({ token }: { token: string }): string =>
  withClaims(takeApart(gatehouse, token), { auth_time: nowSeconds() - 601 });
const eventsOf = async ({ id }: { id: string }): Promise<string[]> => {
  const found = await rows<{ event: string }>('select event from audit_events where user_id = $1 order by id', [id]);
  return found.map(({ event }) => event).filter((event) => /factor|recovery/.test(event));
};

describe('a second factor that was begun', () => {
  test('is a secret of 160 bits, as text, as a URI for apps and as a QR code, and is not in use', async () => {
    const { status, body, headers } = await gatehouse.api.post(`${route}/totp`, { token: person.token });
    expect([status, headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(body.secret).toMatch(/^[A-Z2-7]{32}$/);
    expect(body.uri).toBe(
      `otpauth://totp/gatehouse.test:${person.userName}?secret=${body.secret}&issuer=gatehouse.test&algorithm=SHA1&digits=6&period=30`,
    );
    const [, image = ''] = /^data:image\/svg\+xml;base64,(.+)$/.exec(body.qr) ?? [];
    expect(Buffer.from(image, 'base64').toString()).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" .*<\/svg>$/);
    expect(await view(person)).toEqual({ factors: [], recoveryCodesLeft: 0 });
    expect(await useCode(gatehouse, person, codeOf(body.secret))).toBeUndefined();
  });

  test('gives way to the next one', async () => {
    const somebody = await newPerson(gatehouse);
    const [first, second] = [await startTotp(gatehouse, somebody), await startTotp(gatehouse, somebody)];
    expect(second).not.toBe(first);
    expect(outcomeOf(await confirm(somebody, codeOf(first)))).toEqual([403, 'wrong-code']);
    expect((await confirm(somebody, codeOf(second))).status).toBe(200);
  });

  test('is not confirmed by a wrong code, by one of long ago or by one of later', async () => {
    const secret = await startTotp(gatehouse, person);
    for (const code of [wrongCodeOf(secret), codeOf(secret, -3), codeOf(secret, 4), 'abcde-fghjk']) {
      expect(outcomeOf(await confirm(person, code)), code).toEqual([403, 'wrong-code']);
    }
    expect((await view(person)).factors).toEqual([]);
  });

  test('is gone after an hour', async () => {
    const somebody = await newPerson(gatehouse);
    const secret = await startTotp(gatehouse, somebody);
    await rows(`update second_factors set created_at = now() - interval '61 minutes' where user_id = $1`, [
      somebody.id,
    ]);
    expect(outcomeOf(await confirm(somebody, codeOf(secret)))).toEqual([404, 'second-factor-not-found']);
    const inUse = await newPersonWithTotp(gatehouse);
    await rows(`update second_factors set created_at = now() - interval '61 minutes' where user_id = $1`, [inUse.id]);
    await gatehouse.app.get(Sweeper).sweepNow();
    const left = await rows('select user_id from second_factors where user_id in ($1, $2)', [somebody.id, inUse.id]);
    expect(left).toEqual([{ user_id: inUse.id }]);
  });

  test('is none that can be confirmed when nothing was begun', async () => {
    expect(outcomeOf(await confirm(await newPerson(gatehouse), '123456'))).toEqual([404, 'second-factor-not-found']);
  });
});

describe('a second factor that was confirmed', () => {
  test('is in use, with ten recovery codes that are shown once', async () => {
    const somebody = await newPerson(gatehouse);
    const secret = await startTotp(gatehouse, somebody);
    const code = codeOf(secret);
    const { status, body, headers } = await confirm(somebody, ` ${code.slice(0, 3)} ${code.slice(3)} `);
    expect([status, headers.get('cache-control'), Object.keys(body)]).toEqual([200, 'no-store', ['recoveryCodes']]);
    expect(new Set(body.recoveryCodes).size).toBe(10);
    for (const one of body.recoveryCodes) expect(one).toMatch(recoveryCode);
    const time = expect.stringMatching(/^\d{4}-.*Z$/);
    expect(await view(somebody)).toEqual({
      factors: [{ id: expect.any(String), kind: 'totp', createdAt: time, lastUsedAt: time }],
      recoveryCodesLeft: 10,
    });
    expect(await eventsOf(somebody)).toEqual(['second-factor-added']);
  });

  test('makes the session that has confirmed it one with a second factor, and no other', async () => {
    const somebody = await newPerson(gatehouse);
    const other = await signIn(gatehouse, somebody);
    await addTotp(gatehouse, somebody);
    const sessions = await rows('select id, amr from sessions where user_id = $1', [somebody.id]);
    expect(sessions).toEqual(
      expect.arrayContaining([
        { id: somebody.sessionId, amr: ['pwd', 'otp', 'mfa'] },
        { id: other.sessionId, amr: ['pwd'] },
      ]),
    );
  });

  test('is not confirmed again, and no other is begun beside it', async () => {
    const somebody = await newPersonWithTotp(gatehouse);
    const before = await view(somebody);
    expect(outcomeOf(await confirm(somebody, codeOf(somebody.secret)))).toEqual([409, 'second-factor-exists']);
    const again = await gatehouse.api.post(`${route}/totp`, { token: somebody.token });
    expect(outcomeOf(again)).toEqual([409, 'second-factor-exists']);
    expect(await view(somebody)).toEqual(before);
    expect(await useCode(gatehouse, somebody, codeOf(somebody.secret))).toBe('totp');
  });

  test('is confirmed once by fifty who try at once, and its codes are those that one of them got', async () => {
    const somebody = await newPerson(gatehouse);
    const code = codeOf(await startTotp(gatehouse, somebody));
    const answers = await Promise.all(Array.from({ length: 50 }, () => confirm(somebody, code)));
    const [confirmed, ...more] = answers.filter(({ status }) => status === 200);
    expect(more).toEqual([]);
    // whoever has waited too long for the others is told so
    const refusals = answers.filter((answer) => answer !== confirmed).map(({ body }) => body.code);
    for (const code of refusals) expect(['second-factor-exists', 'unavailable']).toContain(code);
    expect(await useCode(gatehouse, somebody, confirmed?.body.recoveryCodes[0])).toBe('recovery-code');
    expect(await view(somebody)).toMatchObject({ factors: [{}], recoveryCodesLeft: 9 });
    expect(await eventsOf(somebody)).toEqual(['second-factor-added']);
  });
});

describe('new recovery codes', () => {
  test('take the place of those before', async () => {
    const somebody = await newPersonWithTotp(gatehouse);
    const { status, body } = await gatehouse.api.post(`${route}/recovery-codes`, { token: somebody.token });
    expect([status, body.recoveryCodes.length]).toEqual([200, 10]);
    const [old = ''] = somebody.recoveryCodes;
    expect(await useCode(gatehouse, somebody, old)).toBeUndefined();
    expect(await useCode(gatehouse, somebody, body.recoveryCodes[9])).toBe('recovery-code');
    expect((await view(somebody)).recoveryCodesLeft).toBe(9);
    expect(await eventsOf(somebody)).toEqual(['second-factor-added', 'recovery-codes-renewed']);
  });

  test('are not given without a second factor, and not for one that is only begun', async () => {
    const somebody = await newPerson(gatehouse);
    await startTotp(gatehouse, somebody);
    const answer = await gatehouse.api.post(`${route}/recovery-codes`, { token: somebody.token });
    expect(outcomeOf(answer)).toEqual([404, 'second-factor-not-found']);
  });

  test('asked for by ten at once are those of one of them', async () => {
    const somebody = await newPersonWithTotp(gatehouse);
    const ask = (): Promise<Answer> => gatehouse.api.post(`${route}/recovery-codes`, { token: somebody.token });
    const answers = await Promise.all(Array.from({ length: 10 }, ask));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200));
    expect((await view(somebody)).recoveryCodesLeft).toBe(10);
    const firsts = answers.map(({ body }) => body.recoveryCodes[0]);
    const used: unknown[] = [];
    for (const first of firsts) used.push(await useCode(gatehouse, somebody, first));
    expect(used.filter((kind) => kind === 'recovery-code')).toHaveLength(1);
  });
});

describe('who may', () => {
  test.each(['totp', 'recovery-codes'])('POST …/%s needs a fresh authentication', async (what) => {
    const answer = await gatehouse.api.post(`${route}/${what}`, { token: stale(person) });
    expect(outcomeOf(answer)).toEqual([403, 'fresh-authentication-required']);
  });

  test('confirming and looking need none: the secret was given to one who had it', async () => {
    const somebody = await newPerson(gatehouse);
    const secret = await startTotp(gatehouse, somebody);
    expect((await confirm({ token: stale(somebody) }, codeOf(secret))).status).toBe(200);
    expect((await view({ token: stale(somebody) })).factors).toHaveLength(1);
  });

  test('a service has none, whatever its scopes are', async () => {
    const { token } = await signInAdmin(gatehouse);
    const { headers } = await newService(gatehouse, { token, scopes: ['users:read', 'users:write'] });
    const calls: [string, string, unknown?][] = [
      ['GET', route],
      ['POST', `${route}/totp`],
      ['POST', `${route}/totp/confirm`, { code: '123456' }],
      ['POST', `${route}/recovery-codes`],
      ['DELETE', `/v1/users/${person.id}/second-factor`],
    ];
    for (const [method, path, body] of calls) {
      expect(outcomeOf(await gatehouse.api.call(method, path, { headers, body })), path).toEqual([403, 'forbidden']);
    }
  });
});
