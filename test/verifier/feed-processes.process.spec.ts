import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';

import { FeedServer } from '../support/feed-server.js';
import { waiting } from '../support/feeds.js';
import { newPerson, signInAdmin } from '../support/people.js';
import { newService } from '../support/services.js';
import { useGatehouse } from '../support/use-gatehouse.js';
import { startVerifierProcess } from '../support/verifier-process.js';

const gatehouse = useGatehouse();
let server: FeedServer;
beforeEach(async () => {
  server = await new FeedServer({ heartbeatMs: 1_000 }).listen();
});
afterEach(() => server.close());

const issuer = { url: '', audience: 'https://orders.example.org', serviceKey: 'orders.secret' };
const root = new URL('../..', import.meta.url);

/** Runs a program that has a `verifier`; it is killed after half a minute. */
async function run(program: string, url = server.url): Promise<{ code: number | null; output: string }> {
  const options = JSON.stringify({ ...issuer, issuer: url, url });
  const start = `import { createVerifier } from '#verifier'; const verifier = createVerifier(${options});`;
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', start + program], {
    cwd: root,
    env: { PATH, HOME },
    timeout: 30_000,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (output += String(bytes)));
  const [code] = await once(child, 'close');
  return { code, output };
}

const untilListening = 'while (!(verifier.view().ageMs < 1e6)) await new Promise((r) => setTimeout(r, 50));';

test('a process ends by itself once its verifier was closed', async () => {
  const closing = `${untilListening} await new Promise((r) => setTimeout(r, 500)); await verifier.close();`;
  expect(await run(closing)).toEqual({ code: 0, output: '' });
  expect(server.requests.some((request) => request.startsWith('stream'))).toBe(true);
});

test.for([
  ['nobody listens', 'http://127.0.0.1:1'],
  ['whoever listens never answers', 'silent'],
])('a process ends by itself when %s, and has no error that nobody handles', async ([, url = '']) => {
  server.intercept = () => true;
  const closing = 'await new Promise((r) => setTimeout(r, 700)); await verifier.close();';
  expect(await run(closing, url === 'silent' ? server.url : url)).toEqual({ code: 0, output: '' });
});

test('a listener that throws ends the process as any other error, not the feed alone', async () => {
  const throwing = `verifier.on('feed-failure', () => { throw new Error('of the listener'); });`;
  const { code, output } = await run(throwing, 'http://127.0.0.1:1');
  expect([code, output.includes('of the listener')]).toEqual([1, true]);
});

test('while nothing happens, a feed that listens hardly wakes its process', async () => {
  const counting = `${untilListening}
    const { nodeTiming } = (await import('node:perf_hooks')).performance;
    const before = nodeTiming.uvMetricsInfo.loopCount;
    await new Promise((r) => setTimeout(r, 5_000));
    console.log(nodeTiming.uvMetricsInfo.loopCount - before);
    await verifier.close();`;
  const { output } = await run(counting);
  // some 30 were seen; a loop that is busy makes thousands
  expect(Number(output)).toBeLessThan(500);
  expect(Number(output)).toBeGreaterThan(0);
});

test('a process that is stopped for seconds and goes on accepts nothing that was revoked meanwhile', async () => {
  const { token } = await signInAdmin(gatehouse);
  const { headers } = await newService(gatehouse, { token, scopes: ['revocations:read'] });
  const named = 'http://gatehouse.test';
  const verifier = await startVerifierProcess(0, {
    issuer: named,
    audience: named,
    url: gatehouse.url,
    serviceKey: headers['x-service-key'],
    staleness: { afterMs: 2_000, then: 'refuse' },
  });
  onTestFinished(() => verifier.stop());
  const people = await Promise.all(Array.from({ length: 20 }, () => newPerson(gatehouse)));
  const { token: good } = await newPerson(gatehouse);
  for (const { token } of [...people, { token: good }]) {
    await expect.poll(() => verifier.verdict(token), waiting).toBe('accepted');
  }

  verifier.kill('SIGSTOP');
  for (const { token } of people) await gatehouse.api.post('/v1/auth/logout', { token });
  // longer than what it may know is old, and than its stream may be silent
  await sleep(5_000);
  const first = verifier.verdict(people[0]?.token ?? '');
  verifier.kill('SIGCONT');
  expect(['stale', 'revoked']).toContain(await first);
  for (const { token } of people) {
    const verdicts = new Set<string>();
    await expect.poll(async () => [...verdicts.add(await verifier.verdict(token))].at(-1), waiting).toBe('revoked');
    expect(verdicts).not.toContain('accepted');
  }
  await expect.poll(() => verifier.verdict(good), waiting).toBe('accepted');
}, 60_000);
