import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';

import { createTransport } from 'nodemailer';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

import { copyDatabase, type OwnDatabase } from '../support/copy-database.js';
import { runCli } from '../support/run-cli.js';

const script = resolve(import.meta.dirname, '../../scripts/mail-sink.ts');
const patience = { timeout: 20_000, interval: 20 };

let sink: ChildProcess;
let shown = '';
let url: string;
let database: OwnDatabase;

beforeAll(async () => {
  database = await copyDatabase();
  url = await startSink();
});
afterAll(async () => {
  sink?.kill();
  if (sink?.exitCode === null && sink.signalCode === null) await once(sink, 'exit');
  await database?.drop();
});

/** @returns the URL that the sink names */
async function startSink(): Promise<string> {
  sink = spawn(process.execPath, [script, '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  sink.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    shown += chunk;
  });
  await vi.waitFor(() => expect(shown).toContain('starttls=off'), patience);
  return /smtp:[^']+/.exec(shown)?.[0] ?? '';
}

test('the settings that the sink names send a first mail to it, and it shows what people would read', async () => {
  const environment = { ...database.environment, MAIL: 'smtp', MAIL_FROM: 'id@example.org', SMTP_URL: url };
  const { code, out, err } = await runCli(environment, 'mail', 'test', 'zoe@example.org');
  expect(code, err).toBe(0);
  expect(out).toContain('250');
  await vi.waitFor(() => expect(shown).toContain('Nothing needs to be done.'), patience);
  expect(shown).toMatch(
    /^To: zoe@example\.org\nSubject: Mail from Gatehouse works\nMessage-ID: <[^>]+@example\.org>\n\nThis is a test\./m,
  );
});

test('what people chose cannot write to the terminal', async () => {
  const { hostname: host, port } = new URL(url);
  const transport = createTransport({ host, port: Number(port), ignoreTLS: true });
  const text = 'Hello \u001B]0;owned\u0007\u001B[2J\u009BmAda\u0000\r';
  await transport.sendMail({ from: 'a@example.org', to: 'b@example.org', subject: 'hostile', text });
  await vi.waitFor(() => expect(shown).toContain('Subject: hostile'), patience);
  expect(shown).toMatch(/^Hello .*Ada$/m);
  expect(shown).not.toMatch(/[^\P{Cc}\n]/u);
});
