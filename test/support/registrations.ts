import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from 'vitest';

import { registration } from './people.js';
import { type Process } from './spawn-gatehouse.js';

const password = 'seven green bottles';

/**
 * Plain `fetch`, since a process that dies answers nothing that a contract could be held against.
 */
const post = (url: string, path: string, body: object): Promise<Response> =>
  fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

/**
 * Registers 500 users, 16 at a time, and kills the process in the midst of it.
 * @returns the names of those whose registration was acknowledged
 */
export async function registerUntilKilled({ url, kill, ended }: Process): Promise<readonly string[]> {
  const acknowledged: string[] = [];
  let next = 0;
  const register = async (): Promise<void> => {
    while (next < 500) {
      const userName = `survivor-${next++}`;
      const answer = await post(url, '/v1/users', registration({ userName, password }));
      expect(answer.status).toBe(201);
      acknowledged.push(userName);
    }
  };
  const workers = Array.from({ length: 16 }, register);
  while (acknowledged.length < 60) await sleep(5);
  kill('SIGKILL');
  const outcomes = await Promise.allSettled(workers);
  await ended;
  expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(16);
  return acknowledged;
}

/** Every user is there, and a sample of them can log in. */
export async function expectSurvivors(url: string, names: readonly string[], adminPassword: string): Promise<void> {
  const login = await post(url, '/v1/auth/login', { userName: 'admin', password: adminPassword });
  const { accessToken }: any = await login.json();
  const found = new Set<string>();
  for (let cursor = ''; ;) {
    const headers = { authorization: `Bearer ${accessToken}` };
    const page: any = await (
      await fetch(`${url}/v1/users?limit=100${cursor && `&cursor=${cursor}`}`, { headers })
    ).json();
    for (const { userName } of page.items) found.add(userName);
    if (page.nextCursor === null) break;
    cursor = page.nextCursor;
  }
  expect(names.filter((name) => !found.has(name))).toEqual([]);
  const sample = names.filter((_, index) => index % Math.ceil(names.length / 20) === 0);
  const logins = await Promise.all(sample.map((userName) => post(url, '/v1/auth/login', { userName, password })));
  expect(logins.map(({ status }) => status)).toEqual(sample.map(() => 200));
}
