import { globSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

import { Deployment } from 'kubernetes-models/apps/v1';
import { Job } from 'kubernetes-models/batch/v1';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { ConfigMap, Namespace, Service, ServiceAccount } from 'kubernetes-models/v1';
import { expect, test } from 'vitest';
import { parse } from 'yaml';

import { configSchema } from '../../libs/platform/config/src/config.schema.js';

const root = resolve(import.meta.dirname, '../../deploy/kubernetes');
const models: Readonly<Record<string, new (data: any) => { validate(): void }>> = {
  ConfigMap,
  Deployment,
  Job,
  Namespace,
  NetworkPolicy,
  PodDisruptionBudget,
  Service,
  ServiceAccount,
};
const read = (path: string): any => parse(readFileSync(join(root, path), 'utf8'));
const kustomizations = globSync('**/kustomization.yaml', { cwd: root });
const manifests = globSync('**/*.yaml', { cwd: root }).filter((path) => !kustomizations.includes(path));

/**
 * Keys that a validation never asked for, which its schema therefore does not know:
 * `kubernetes-models` lets them pass, as an API server does not.
 */
function unknownKeys(data: unknown, validate: (watched: unknown) => void): readonly string[] {
  const asked = new Set<string>();
  const watch = (value: unknown, path: string): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    return new Proxy(value, {
      get: (target, key) => {
        asked.add(`${path}.${String(key)}`);
        return watch(Reflect.get(target, key), `${path}.${String(key)}`);
      },
      // whoever lists the keys takes any of them: a map such as labels
      ownKeys: (target) => {
        for (const key of Object.keys(target)) asked.add(`${path}.${key}`);
        return Reflect.ownKeys(target);
      },
    });
  };
  validate(watch(data, ''));
  return pathsOf(data, '').filter((path) => !asked.has(path));
}

const pathsOf = (value: unknown, path: string): readonly string[] =>
  typeof value === 'object' && value !== null
    ? Object.entries(value).flatMap(([key, member]) => [`${path}.${key}`].concat(pathsOf(member, `${path}.${key}`)))
    : [];

const validator = (kind: string): ((data: unknown) => void) => {
  const Model = models[kind];
  if (!Model) throw new Error(`${kind} has no model here`);
  // the constructor copies, the method of the prototype does not
  return (data) => Reflect.apply(Model.prototype.validate, data, []);
};

test.each(manifests)('%s is what Kubernetes knows, without a key that it does not', (path) => {
  const manifest = read(path);
  expect(() => validator(manifest.kind)(manifest)).not.toThrow();
  expect(unknownKeys(manifest, validator(manifest.kind))).toEqual([]);
});

test('the walk finds what the validation misses', () => {
  const wrong = read('base/deployment.yaml');
  wrong.spec.template.spec.containers[0].readinesProbe = {};
  expect(() => validator('Deployment')(wrong)).not.toThrow();
  expect(unknownKeys(wrong, validator('Deployment'))).toEqual(['.spec.template.spec.containers.0.readinesProbe']);
  wrong.spec.replicas = 'two';
  expect(() => validator('Deployment')(wrong)).toThrow('replicas');
});

test.each(kustomizations)('%s names files that are there', (path) => {
  const { resources, patches = [] } = read(path);
  const named = [...resources, ...patches.map((patch: any) => patch.path)];
  const found = globSync([...manifests, 'base'], { cwd: root });
  expect(named.map((name) => join(dirname(path), name)).filter((name) => !found.includes(name))).toEqual([]);
});

test('pods run as nobody in particular, on a file system that they cannot write to', () => {
  for (const path of ['base/deployment.yaml', 'base/migrate.yaml', 'sidecar/deployment.yaml']) {
    const { spec } = read(path).spec.template;
    expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    expect(spec.automountServiceAccountToken).toBe(false);
    for (const { securityContext } of spec.containers) {
      expect(securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
    }
  }
});

test('the configuration has only names that the service reads, and time to drain', () => {
  const known = new Set(Object.keys(configSchema.shape).flatMap((name) => [name, `${name}_FILE`]));
  const { data } = read('base/config-map.yaml');
  const others = ['overlays/example/config-map.yaml', 'mail/config-map.yaml'].map((path) => read(path).data);
  const names = [data, ...others].flatMap((each) => Object.keys(each));
  expect(names.filter((name) => !known.has(name))).toEqual([]);
  const { terminationGracePeriodSeconds } = read('base/deployment.yaml').spec.template.spec;
  expect(terminationGracePeriodSeconds).toBeGreaterThan(Number(data.DRAIN_DELAY_SECONDS) + 10 + 3);
});

test('only the ingress, named clients and the monitoring get in, and only to what is needed it gets out', () => {
  const { spec } = read('base/network-policy.yaml');
  expect(spec.policyTypes).toEqual(['Ingress', 'Egress']);
  for (const { from } of spec.ingress) expect(from.length).toBeGreaterThan(0);
  const ports = spec.egress.flatMap((rule: any) => rule.ports.map(({ port }: any) => port));
  expect(new Set(ports)).toEqual(new Set([53, 5432, 6379, 4317, 4318]));
  // pods that migrate need the database too, and are nobody else's business
  const named = ['base/deployment.yaml', 'base/migrate.yaml'].map(
    (path) => read(path).metadata.labels['app.kubernetes.io/name'],
  );
  expect(spec.podSelector.matchExpressions[0].values).toEqual(named);
});

test('with mail, pods get out to mail servers as well, and read its secret where it is mounted', () => {
  const { spec } = read('mail/network-policy.yaml');
  expect(spec.podSelector.matchLabels).toEqual(read('base/deployment.yaml').spec.selector.matchLabels);
  expect(spec.policyTypes).toEqual(['Egress']);
  const ports = spec.egress.flatMap((rule: any) => rule.ports.map(({ port }: any) => port));
  // those that `smtps:` and `smtp:` mean without a port of their own
  expect(ports).toEqual([465, 587]);
  const { data } = read('mail/config-map.yaml');
  expect(data).toMatchObject({ MAIL: 'smtp', MAIL_FROM: expect.stringContaining('@') });
  const { volumeMounts } = read('base/deployment.yaml').spec.template.spec.containers[0];
  const { mountPath } = volumeMounts.find(({ name }: any) => name === 'secrets');
  expect(data.SMTP_URL_FILE).toBe(`${mountPath}/smtp_url`);
});

test('the examples trust a range of proxies that no large network fits into', () => {
  const { TRUST_PROXY } = read('overlays/example/config-map.yaml').data;
  expect(Number(TRUST_PROXY.split('/')[1])).toBeGreaterThanOrEqual(24);
});
