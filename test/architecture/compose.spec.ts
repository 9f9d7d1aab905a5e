import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { expect, test } from 'vitest';
import { parse } from 'yaml';

import { configSchema } from '../../libs/platform/config/src/config.schema.js';

const root = resolve(import.meta.dirname, '../..');
const compose: any = parse(readFileSync(join(root, 'docker-compose.yml'), 'utf8'), { merge: true });
const services = Object.entries<any>(compose.services);

test('every part says whether it is well: by itself, or by its image, as Gatehouse does', () => {
  const silent = services.filter(([, { healthcheck, build }]) => !healthcheck && !build).map(([name]) => name);
  expect(silent).toEqual([]);
  expect(readFileSync(join(root, 'Dockerfile'), 'utf8')).toMatch(/^HEALTHCHECK /m);
});

test('images have a version in their tag', () => {
  const images = services.map(([, { image }]) => image).filter((image) => !image.startsWith('gatehouse:'));
  for (const image of images) expect(image).toMatch(/:v?\d/);
});

test('replicas trust the address of the balancer, and nobody else', () => {
  const address = compose.services.balancer.networks.balanced.ipv4_address;
  for (const name of ['one', 'two']) expect(compose.services[name].environment.TRUST_PROXY).toBe(address);
});

test("Grafana's password is its own", () => {
  const users = services.filter(([, { secrets = [] }]) => secrets.includes('grafana_password')).map(([name]) => name);
  expect(users).toEqual(['grafana']);
  expect(compose.services.grafana.secrets).toEqual(['grafana_password']);
});

test('with mail, everything that is Gatehouse sends it, knows its server from a secret, and gets out to it', () => {
  const mail: any = parse(readFileSync(join(root, 'deploy/compose/mail.yml'), 'utf8'), { merge: true });
  const gatehouses = services.filter(([, { image }]) => image.startsWith('gatehouse:')).map(([name]) => name);
  expect(Object.keys(mail.services).toSorted()).toEqual(gatehouses.toSorted());
  const isOpen = (network: string): boolean => !{ ...compose.networks, ...mail.networks }[network]?.internal;
  for (const [name, { environment, secrets, networks = [] }] of Object.entries<any>(mail.services)) {
    const read = Object.keys(environment).map((variable) => variable.replace(/_FILE$/, ''));
    expect(read.filter((variable) => !(variable in configSchema.shape))).toEqual([]);
    expect(environment).toMatchObject({ MAIL: 'smtp', SMTP_URL_FILE: '/run/secrets/smtp_url' });
    expect(secrets).toEqual(Object.keys(mail.secrets));
    expect([...compose.services[name].networks, ...networks].some(isOpen)).toBe(true);
  }
});

test('the script makes each secret that is mounted, once, and no two alike', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-secrets-'));
  const run = () => execFileSync('sh', [join(root, 'scripts/make-secrets.sh'), folder], { encoding: 'utf8' });
  run();
  const names: readonly string[] = Object.values<any>(compose.secrets).map(({ file }) =>
    file.replace('./secrets/', ''),
  );
  expect(readdirSync(folder).toSorted()).toEqual(names.toSorted());
  const texts = () => names.map((name) => readFileSync(join(folder, name), 'utf8'));
  const first = texts();
  expect(new Set(first).size).toBe(names.length);
  run();
  expect(texts()).toEqual(first);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  rmSync(folder, { recursive: true });
});
