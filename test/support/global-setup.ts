import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import pg from 'pg';
import type { TestProject } from 'vitest/node';

import { startPostgres } from './postgres-server.js';

declare module 'vitest' {
  interface ProvidedContext {
    database: 'pglite' | 'postgres';
    /** A PGlite folder or a PostgreSQL database with the schema in it, to be copied. */
    template: string;
    postgresUrl: string;
    /** Where the copies keep their files; what a test leaves there goes at the end of the run. */
    copies: string;
  }
}

const root = resolve(import.meta.dirname, '../..');

/**
 * Makes an empty database with the schema once, by the operator's own
 * command; each test file gets a copy.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  build();
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-copies-'));
  project.provide('copies', folder);
  const prepare = project.getProvidedContext().database === 'pglite' ? preparePglite : preparePostgres;
  const removeTemplate = await prepare(project);
  return async () => {
    await removeTemplate();
    rmSync(folder, { recursive: true, force: true });
  };
}

function preparePglite(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-template-'));
  migrate({ DATA_DIR: folder });
  project.provide('template', folder);
  return Promise.resolve(async () => rmSync(folder, { recursive: true, force: true }));
}

async function preparePostgres(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env['TEST_DATABASE_URL'];
  const server = given === undefined ? await startPostgres() : { url: given, stop: async () => undefined };
  const template = `gatehouse_template_${process.pid}_${project.name}`;
  const admin = new pg.Client({ connectionString: server.url });
  await admin.connect();
  await admin.query(`create database ${template}`);
  const url = new URL(server.url);
  url.pathname = template;
  migrate({ DATABASE_URL: url.href });
  project.provide('template', template);
  project.provide('postgresUrl', server.url);
  return async () => {
    const copies = `select datname from pg_database where starts_with(datname, $1)`;
    // the template, and the copies of the services that test files share
    for (const { datname } of (await admin.query(copies, [template])).rows) {
      await admin.query(`drop database ${datname} with (force)`);
    }
    await admin.end();
    await server.stop();
  };
}

function migrate(environment: Record<string, string>): void {
  run('dist/apps/cli/src/main.js', ['migrate'], environment);
}

function build(): void {
  run('scripts/build.ts', ['--if-stale'], {
    PATH: `${resolve(root, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}`,
  });
}

function run(script: string, parameters: readonly string[], environment: Record<string, string>): void {
  const { PATH = '', HOME = '' } = process.env;
  const result = spawnSync(process.execPath, [resolve(root, script), ...parameters], {
    cwd: root,
    env: { PATH, HOME, ...environment },
    encoding: 'utf8',
  });
  if (result.status !== 0) throw new Error(`${script} failed:\n${result.stdout}\n${result.stderr}`);
}
