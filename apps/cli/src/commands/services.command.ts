import type { INestApplicationContext } from '@nestjs/common';
import { type Command, InvalidArgumentError } from 'commander';
import { z } from 'zod';

import { createServiceSchema, patchServiceSchema, ServicesService, type ServiceView } from '#libs/services';

import { type Environment, inContext, print } from '../operator-context.js';

type Plan = Record<string, { limit: number; windowSeconds: number }>;
type Grant = { audience: string; permissions: string[] };
/** `false` is what commander makes of `--no-…`. */
type Change = {
  description?: string;
  scope?: string[];
  plan?: Plan;
  audience?: string | false;
  permission?: string[] | false;
  grant?: Grant[] | false;
};

/** Looks after the services that call: `services list|create|change|rotate|…`. */
export function addServices(program: Command, environment: Environment): void {
  const run = inContext(environment);
  const services = program
    .command('services')
    .description('look after the calling services; running replicas on PostgreSQL act on a change at once');
  services.command('list').description('list them by name, with their plans').action(run(list));
  withFields(services.command('create <name>'))
    .description('register one and show its secret, once')
    .action(run(create));
  withFields(services.command('change <name>'))
    .description('change what is given; lists are replaced as a whole, a plan class by class')
    .action(run((context, name: string, change: Change) => patch(context, name, fieldsOf(change))));
  services
    .command('rotate <name>')
    .description('give it a new secret and show it, once; the old one works for 24 h more')
    .option('--revoke', 'end the old one at once, when it has leaked')
    .action(run(rotate));
  for (const [command, status] of [
    ['activate', 'active'],
    ['deactivate', 'deactivated'],
  ]) {
    services
      .command(`${command} <name>`)
      .description(`set its status to ${status}`)
      .action(run((context, name: string) => patch(context, name, { status })));
  }
  services.command('delete <name>').description('remove it; its key is dead at once').action(run(remove));
}

const withFields = (command: Command): Command =>
  command
    .option('--description <text>', 'what it is')
    .option('--scope <names...>', 'what it may do, such as users:read')
    .option(
      '--plan <classes...>',
      'what it may ask for, as class=limit/seconds: read=6000/60 login=300/60',
      (text: string, plan?: Plan) => ({ ...plan, ...parsePart(text) }),
    )
    .option('--audience <uri>', 'what tokens for it name in aud, such as https://orders.example.org')
    .option('--no-audience', 'there are no tokens for it')
    .option('--permission <names...>', 'what its API knows, such as orders:read')
    .option('--no-permission', 'its API takes any')
    .option(
      '--grant <grants...>',
      'what it may do at another service, as "audience permission permission …"',
      (text: string, grants?: Grant[] | false) => [...(grants || []), parseGrant(text)],
    )
    .option('--no-grant', 'it may do nothing at other services');

function parseGrant(text: string): Grant {
  const [audience = '', ...permissions] = text.trim().split(/\s+/);
  if (permissions.length === 0) {
    throw new InvalidArgumentError('Write "audience permission …", such as "https://orders.example.org orders:read".');
  }
  return { audience, permissions };
}

function parsePart(text: string): Plan {
  const [, name, limit, seconds] = /^([a-z]+)=(\d{1,10})\/(\d{1,6})$/.exec(text) ?? [];
  if (name === undefined) throw new InvalidArgumentError('Write class=limit/seconds, such as read=6000/60.');
  return { [name]: { limit: Number(limit), windowSeconds: Number(seconds) } };
}

const fieldsOf = ({ description, scope, plan, audience, permission, grant }: Change): object => ({
  ...(description !== undefined && { description }),
  ...(scope && { scopes: scope }),
  ...(plan && { plan }),
  ...(audience !== undefined && { audience: audience || null }),
  ...(permission !== undefined && { permissions: permission || [] }),
  ...(grant !== undefined && { grants: grant || [] }),
});

function show({ name, status, scopes, plan, audience, permissions, grants, lastUsedAt }: ServiceView): void {
  const limits = Object.entries(plan).map(([part, { limit, windowSeconds }]) => `${part}=${limit}/${windowSeconds}`);
  const granted = scopes.length === 0 ? 'no scopes' : scopes.join(' ');
  print(`${name}  ${status}  ${granted}  ${limits.join(' ')}  last used ${lastUsedAt ?? 'never'}`);
  if (audience !== null) print(`  audience ${audience}  ${permissions.join(' ') || 'any permission'}`);
  for (const grant of grants) print(`  granted at ${grant.audience}  ${grant.permissions.join(' ') || 'nothing'}`);
}

async function list(context: INestApplicationContext): Promise<void> {
  for (const service of (await context.get(ServicesService).list()).items) show(service);
}

async function create(context: INestApplicationContext, name: string, change: Change): Promise<void> {
  const input = parse(createServiceSchema, { name, scopes: [], ...fieldsOf(change) });
  const { secret, ...service } = await context.get(ServicesService).create(input, 'operator');
  show(service);
  showSecret(name, secret);
}

async function patch(context: INestApplicationContext, name: string, change: object): Promise<void> {
  show(await context.get(ServicesService).patch(name, parse(patchServiceSchema, change), 'operator'));
}

async function rotate(context: INestApplicationContext, name: string, { revoke }: { revoke?: true }): Promise<void> {
  const previous = revoke ? 'revoke' : 'keep';
  const { secret, previousUntil } = await context.get(ServicesService).rotateSecret(name, previous, 'operator');
  showSecret(name, secret);
  print(previousUntil === null ? 'The old secret is dead.' : `The old secret works until ${previousUntil}.`);
}

async function remove(context: INestApplicationContext, name: string): Promise<void> {
  await context.get(ServicesService).remove(name, 'operator');
  print(`Removed ${name}; its key is dead.`);
}

const showSecret = (name: string, secret: string): void => print(`Shown once: X-Service-Key: ${name}.${secret}`);

function parse<T>(schema: z.ZodType<T>, input: unknown): T {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw new Error(parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n'));
}
