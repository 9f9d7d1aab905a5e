import { SqlEntityManager } from '@mikro-orm/sql';
import { describe, expect, test } from 'vitest';

import type { Answer } from '../support/api.js';
import type { Person } from '../support/people.js';
import { challengeOf, complete } from '../support/second-factor-logins.js';
import { codeOf, newPersonWithTotp, type SecondFactor, wrongCodeOf } from '../support/second-factors.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse();

const sql = (statement: string, values: unknown[] = []): Promise<any[]> =>
  gatehouse.app.get(SqlEntityManager).fork().execute(statement, values);
const outcomeOf = ({ status, body }: Answer): [number, string] => [status, body.code];
const login = ({ userName, password }: Person, wish = {}): Promise<Answer> =>
  gatehouse.api.post('/v1/auth/login', { body: { userName, password }, ...wish });
const cookieOf = ({ headers }: Answer): string => headers.get('set-cookie')?.split(';', 1)[0] ?? '';
const failuresOf = async ({ id }: Person): Promise<number> =>
  (await sql('select coalesce(min(failures), 0) as failures from login_delays where subject = ?', [id]))[0].failures;
/** As after so many wrong codes or passwords, with a delay that has just begun or is over. */
const setFailures = ({ id }: Person, failures: number, delaySeconds: number): Promise<unknown> =>
  sql('update login_delays set failures = ?, delayed_until = now() + make_interval(secs => ?) where subject = ?', [
    failures,
    delaySeconds,
    id,
  ]);

const guess = (person: Person & SecondFactor, challenge: string): Promise<Answer> =>
  complete(gatehouse, challenge, wrongCodeOf(person.secret));

describe('guesses', () => {
  test('of codes delay the login, whose right code is refused then and not used up', async () => {
    const person = await newPersonWithTotp(gatehouse);
    const challenge = await challengeOf(gatehouse, person);
    await guess(person, challenge);
    await setFailures(person, 6, 600);
    const code = codeOf(person.secret);
    expect(outcomeOf(await complete(gatehouse, challenge, code))).toEqual([401, 'invalid-credentials']);
    expect(outcomeOf(await login(person))).toEqual([401, 'invalid-credentials']);
    await setFailures(person, 6, 0);
    expect((await complete(gatehouse, challenge, code)).status).toBe(200);
    const left = await sql('select failures from login_delays where subject = ?', [person.id]);
    // what all strangers to the account share stays, as after any login
    expect(left).toEqual([{ failures: 6 }]);
  });

  test('are not forgotten with the right password alone', async () => {
    const person = await newPersonWithTotp(gatehouse);
    for (const count of [1, 2, 3]) {
      await guess(person, await challengeOf(gatehouse, person));
      expect(await failuresOf(person)).toBe(count);
    }
  });

  test('within a session are not forgotten with the password given again', async () => {
    const { id, token, password, secret, sessionId } = await newPersonWithTotp(gatehouse);
    const give = (body: object): Promise<Answer> => gatehouse.api.post('/v1/auth/reauthenticate', { token, body });
    expect((await give({ code: wrongCodeOf(secret) })).status).toBe(403);
    expect((await give({ password })).status).toBe(200);
    const kept = 'select failures from login_delays where subject = ? and device = ?';
    expect(await sql(kept, [id, sessionId])).toEqual([{ failures: 1 }]);
    expect((await give({ code: codeOf(secret) })).status).toBe(200);
    expect(await sql(kept, [id, sessionId])).toEqual([]);
  });

  test('of strangers do not delay a device that has signed in before', async () => {
    const person = await newPersonWithTotp(gatehouse);
    const cookie = cookieOf(await complete(gatehouse, await challengeOf(gatehouse, person), codeOf(person.secret)));
    await guess(person, await challengeOf(gatehouse, person));
    await setFailures(person, 6, 600);
    const known = { headers: { cookie } };
    const challenge = await challengeOf(gatehouse, person, known);
    const [recovery = ''] = person.recoveryCodes;
    expect((await complete(gatehouse, challenge, recovery, known)).status).toBe(200);
  });
});
