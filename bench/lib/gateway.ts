import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { publicUrl } from './replica.ts';

/** Where everything listens; nginx has a door with the sidecar, and one without. */
export type GatewayPorts = {
  readonly guarded: number;
  readonly plain: number;
  readonly sidecar: number;
  readonly orders: number;
};

type Sidecar = { readonly gatehouseUrl: string; readonly audience: string; readonly key: string };

/** nginx by the published configuration, and the sidecar, before a service. */
export class Gateway {
  readonly #app: string;
  readonly #ports: GatewayPorts;
  readonly #folder = mkdtempSync(join(tmpdir(), 'gatehouse-sidecar-'));
  readonly #children: ChildProcess[] = [];

  constructor(app: string, ports: GatewayPorts) {
    this.#app = app;
    this.#ports = ports;
  }

  async startSidecar({ gatehouseUrl, audience, key }: Sidecar): Promise<void> {
    const program = ['--max-semi-space-size=16', 'dist/apps/sidecar/src/main.js'];
    const env = {
      PATH: process.env['PATH'],
      GATEHOUSE_URL: gatehouseUrl,
      ISSUER: publicUrl,
      AUDIENCE: audience,
      SERVICE_KEY: key,
      PORT: String(this.#ports.sidecar),
    };
    const node = join(this.#app, 'node_modules/.bin/node');
    this.#children.push(spawn(node, program, { cwd: this.#app, env, stdio: ['ignore', 'ignore', 'inherit'] }));
    await answers(`http://127.0.0.1:${this.#ports.sidecar}/health/ready`);
  }

  /** Beside the published server, one that asks nobody. */
  async startNginx(): Promise<void> {
    const { guarded, plain, sidecar, orders } = this.#ports;
    const published = readFileSync(join(this.#app, 'deploy/gateways/nginx.conf'), 'utf8')
      .replace('/tmp/nginx.pid', join(this.#folder, 'nginx.pid'))
      .replace('127.0.0.1:4180', `127.0.0.1:${sidecar}`)
      .replace('127.0.0.1:4000', `127.0.0.1:${orders}`)
      .replace('127.0.0.1:8080', `127.0.0.1:${guarded}`);
    const asksNobody = `    server {
        listen 127.0.0.1:${plain};
        location / {
            proxy_set_header Connection "";
            proxy_http_version 1.1;
            proxy_pass http://orders;
        }
    }
}
`;
    writeFileSync(join(this.#folder, 'nginx.conf'), published.replace(/\}\s*$/, asksNobody));
    const flags = ['-p', this.#folder, '-c', 'nginx.conf', '-g', 'daemon off;'];
    this.#children.push(spawn('nginx', flags, { stdio: 'inherit' }));
    await answers(`http://127.0.0.1:${plain}/`);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#children.map(ended));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}

async function answers(url: string): Promise<void> {
  for (const untilMs = performance.now() + 30_000; performance.now() < untilMs; await sleep(50)) {
    const answer = await fetch(url).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok) return;
  }
  throw new Error(`${url} does not answer`);
}
