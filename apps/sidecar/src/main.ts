import { once } from 'node:events';
import { env, exit, stderr, stdout } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';

import { createVerifier, type Verifier } from '#verifier';

import { misspelt, readSettings, type Settings, SettingsError } from './settings.js';
import { Sidecar } from './sidecar.js';

/** A stop leaves gateways so long to notice, then requests as long to end. */
const drainMs = 2_000;

const log = (level: 'info' | 'warn', event: string, more: object = {}): void =>
  void stdout.write(`${JSON.stringify({ time: new Date().toISOString(), level, event, ...more })}\n`);

function begin(): { readonly settings: Settings; readonly verifier: Verifier } {
  try {
    const settings = readSettings(env);
    return { settings, verifier: createVerifier(settings.verifier) };
  } catch (error) {
    if (!(error instanceof SettingsError || error instanceof TypeError)) throw error;
    stderr.write(`The configuration is not valid: ${error.message}\n`);
    exit(1);
  }
}

const { settings, verifier } = begin();
for (const name of misspelt(env)) log('warn', 'a variable that is not known', { name });
verifier
  .on('stale', () => log('warn', 'revocations are not heard', { policy: settings.policy }))
  .on('fresh', () => log('info', 'revocations are heard'))
  .on('reset', () => log('info', 'Gatehouse has another history: all was read again'))
  .on('feed-failure', (reason) => log('warn', 'the feed cannot be read', { reason }))
  .on('introspection-denied', (reason) => log('warn', 'Gatehouse does not introspect for this service', { reason }));
const sidecar = new Sidecar(verifier, settings);
sidecar.server.listen(settings.port, settings.host);
await once(sidecar.server, 'listening');
const address = sidecar.server.address();
const port = typeof address === 'object' ? address?.port : undefined;
log('info', 'the sidecar listens', { host: settings.host, port, audience: settings.verifier.audience });

const { promise: stopped, resolve: stop } = Promise.withResolvers<string>();
for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => stop(signal));
log('info', 'the sidecar ends', { signal: await stopped });
sidecar.drain();
await sleep(drainMs);
sidecar.server.close();
await Promise.race([once(sidecar.server, 'close'), sleep(drainMs)]);
sidecar.server.closeAllConnections();
await verifier.close();
