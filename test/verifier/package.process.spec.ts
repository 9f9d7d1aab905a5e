import { execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { afterAll, beforeAll, expect, test, vi } from 'vitest';

import { freePort } from '../support/free-port.js';
import { newPerson, type Person, signIn, signInAdmin } from '../support/people.js';
import { newTarget } from '../support/services.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';

const root = resolve(import.meta.dirname, '../..');
const source = join(root, 'packages/verifier');
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-verifier-'));
/** Node of the checkout, and the one of the machine where there is another. */
const nodes = [process.execPath, '/usr/bin/node'].filter((path) => existsSync(path));
let packed: { filename: string; files: { path: string }[] };

const run = (command: string, ...parameters: string[]): string =>
  execFileSync(command, parameters, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });

/** An empty project that has what is published, and nothing of this repository but jose. */
beforeAll(() => {
  const answer = execFileSync('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: source,
    encoding: 'utf8',
  });
  const packs: Record<string, typeof packed> | (typeof packed)[] = JSON.parse(answer.slice(answer.search(/^[[{]/m)));
  const [first] = Object.values(packs);
  if (!first) throw new Error(`npm pack answered ${answer}`);
  packed = first;
  cpSync(join(root, 'node_modules/jose'), join(folder, 'jose'), { recursive: true });
  const dependencies = {
    '@gatehouse/verifier': `file:${packed.filename.replace('@gatehouse/', 'gatehouse-')}`,
    jose: 'file:jose',
  };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module', private: true, dependencies }));
  run('npm', 'install', '--offline', '--no-audit', '--no-fund', '--ignore-scripts', '--install-links');
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('what is published is the code, its types and the README, and no test', () => {
  const paths = packed.files.map(({ path }) => path);
  expect(paths).toEqual(
    expect.arrayContaining(['README.md', 'LICENSE', 'package.json', 'dist/index.js', 'dist/index.d.ts']),
  );
  expect(paths.filter((path) => !/^(README\.md|package\.json|LICENSE|dist\/.+\.(js|d\.ts))$/.test(path))).toEqual([]);
  expect(paths.filter((path) => path.includes('.spec.'))).toEqual([]);
});

test.each(nodes)('%s imports it in an empty project', (node) => {
  const code = `
    import { createVerifier, VerifyError } from '@gatehouse/verifier';
    import { requireToken } from '@gatehouse/verifier/express';
    import { verifierPlugin } from '@gatehouse/verifier/fastify';
    const verifier = createVerifier({ issuer: 'http://127.0.0.1:9', audience: 'a', readyTimeoutMs: 0 });
    requireToken(verifier);
    const error = await verifier.verify('x.y.z').catch((thrown) => thrown);
    await verifier.close();
    console.log(error instanceof VerifyError, error.code, typeof verifierPlugin);`;
  writeFileSync(join(folder, 'import.js'), code);
  // it ends by itself: nothing keeps the process alive after `close`
  expect(run(node, 'import.js')).toBe('true malformed function\n');
});

test.each(['nodenext', 'bundler'])('a strict project is checked with its types (%s)', (moduleResolution) => {
  const code = `
    import { createVerifier, type Claims, type Verified, VerifyError, type VerifyErrorCode } from '@gatehouse/verifier';
    import { requireToken } from '@gatehouse/verifier/express';
    const verifier = createVerifier({
      issuer: 'https://id.example.org', audience: 'https://orders.example.org', serviceKey: 'orders.secret',
      staleness: { then: 'refuse' },
    });
    verifier.on('stale', () => undefined).on('feed-failure', (reason: string) => reason);
    const { claims, isStale }: Verified = await verifier.verify('token', { permissions: ['orders:read'] });
    const roles: readonly string[] | undefined = (claims satisfies Claims).roles;
    requireToken(verifier, { maxAuthAgeSeconds: 300 });
    // @ts-expect-error there is no such option
    requireToken(verifier, { permission: 'orders:read' });
    // @ts-expect-error a closed union
    const code: VerifyErrorCode = 'no-such-code';
    export const all = [isStale, roles, code, VerifyError, verifier.view().keys];`;
  writeFileSync(join(folder, 'consumer.ts'), code);
  const types = join(root, 'node_modules/@types');
  const compilerOptions = {
    strict: true,
    noEmit: true,
    exactOptionalPropertyTypes: true,
    target: 'es2022',
    module: moduleResolution === 'nodenext' ? 'nodenext' : 'esnext',
    moduleResolution,
    types: ['node'],
    typeRoots: [types],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['consumer.ts'] }));
  expect(run(process.execPath, join(root, 'node_modules/typescript/bin/tsc'), '-p', '.')).toBe('');
});

test.each(nodes)('the first example of the README runs under %s: a token dies in it', async (node) => {
  const [, example = ''] =
    /```js\n(\/\/ orders\.js\n[^]*?)```/.exec(readFileSync(join(source, 'README.md'), 'utf8')) ?? [];
  writeFileSync(join(folder, 'orders.js'), example);
  const gatehouse = await startWithOwnName();
  const { audience, name, secret } = await newReader(gatehouse);
  const port = await freePort();
  const environment = { GATEHOUSE_URL: gatehouse.url, AUDIENCE: audience, SERVICE_KEY: `${name}.${secret}` };
  const orders = spawn(node, ['orders.js'], {
    cwd: folder,
    env: { ...environment, PORT: `${port}` },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  try {
    const person = await newPerson(gatehouse);
    const { token } = await signIn(gatehouse, { ...person, audience });
    const ask = async (): Promise<string> => {
      const headers = { authorization: `Bearer ${token}` };
      const answer = await fetch(`http://127.0.0.1:${port}`, { headers });
      return `${answer.status} ${await answer.text()}`;
    };
    await vi.waitFor(async () => expect(await ask()).toBe(`200 Hello ${person.id}\n`), { timeout: 20_000 });
    await endSessions(gatehouse, person);
    await vi.waitFor(async () => expect(await ask()).toMatch(/^401 .*"code":"revoked"/), { timeout: 20_000 });
  } finally {
    orders.kill('SIGKILL');
    await gatehouse.stop();
  }
});

/** Its name is where it listens, as in a deployment. */
async function startWithOwnName(): Promise<Gatehouse> {
  const port = await freePort();
  return startGatehouse({ PORT: String(port), PUBLIC_URL: `http://127.0.0.1:${port}` });
}

async function newReader(gatehouse: Gatehouse) {
  const { token } = await signInAdmin(gatehouse);
  const target = await newTarget(gatehouse, token);
  const scopes = ['revocations:read', 'tokens:introspect'];
  const patched = await gatehouse.api.patch(`/v1/services/${target.name}`, { token, body: { scopes } });
  expect(patched.status, patched.text).toBe(200);
  return target;
}

async function endSessions(gatehouse: Gatehouse, { id }: Person): Promise<void> {
  const { token } = await signInAdmin(gatehouse);
  const answer = await gatehouse.api.patch(`/v1/users/${id}`, { token, body: { status: 'deactivated' } });
  expect(answer.status, answer.text).toBe(200);
}
