import { expect, test } from 'vitest';

import { Sql } from '#libs/platform/database';

import { newPerson } from '../support/people.js';
import { challengeOf, complete } from '../support/second-factor-logins.js';
import { addTotp, codeOf, newPersonWithTotp, wrongCodeOf } from '../support/second-factors.js';
import { useReplicas } from '../support/use-gatehouse.js';

const { both } = useReplicas();
const uses = 50;

test('of 50 uses of one challenge and one code at once on two replicas one gets in', async () => {
  const [here] = both();
  const person = await newPersonWithTotp(here);
  const [challenge, code] = [await challengeOf(here, person), codeOf(person.secret)];
  const answers = await Promise.all(
    Array.from({ length: uses }, (_, at) => complete(both()[at % 2 === 0 ? 0 : 1], challenge, code)),
  );
  const outcomes = answers.map(({ status, body }) => `${status} ${body.code ?? ''}`);
  expect(outcomes.filter((outcome) => outcome === '200 ')).toHaveLength(1);
  // on a busy machine those at the end of the queue give up
  const refused = new Set(outcomes.filter((outcome) => outcome !== '200 ' && outcome !== '503 unavailable'));
  expect([...refused]).toEqual(['401 invalid-challenge']);
});

test('so does one of many challenges with one code', async () => {
  const [here, there] = both();
  const person = await newPersonWithTotp(here);
  const code = person.recoveryCodes[0] ?? '';
  const challenges = [];
  for (let at = 0; at < 4; at++) challenges.push(await challengeOf(here, person));
  const answers = await Promise.all(
    challenges.map((challenge, at) => complete(at % 2 === 0 ? here : there, challenge, code)),
  );
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
});

test('a challenge of one replica is good on the other', async () => {
  const [here, there] = both();
  const person = await newPerson(here);
  const { secret } = await addTotp(here, person);
  expect((await complete(there, await challengeOf(here, person), codeOf(secret))).status).toBe(200);
});

test('of 20 wrong codes at once no more are looked at than are free, and one a replica', async () => {
  const [here] = both();
  const person = await newPersonWithTotp(here);
  const challenge = await challengeOf(here, person);
  const wrong = Array.from({ length: 20 }, (_, at) =>
    complete(both()[at % 2 === 0 ? 0 : 1], challenge, wrongCodeOf(person.secret)),
  );
  expect((await Promise.all(wrong)).map(({ status }) => status)).toEqual(wrong.map(() => 401));
  const text = `select max(failures) as failures from login_delays where subject = $1`;
  const row = await here.app.get(Sql).row<{ failures: number }>({ text }, [person.id]);
  // a failure that is counted was looked at; those in a delay are not
  expect(row?.failures).toBeLessThanOrEqual(8);
  expect(row?.failures).toBeGreaterThanOrEqual(6);
});
