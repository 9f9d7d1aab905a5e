import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';

import { type Config, CONFIG } from '#libs/platform/config';
import { isSame } from '#libs/platform/crypto';

import { MetricsService } from './metrics.service.js';

const timeoutMs = 5_000;

/** `/metrics` on a port of its own, for a private network. It answers until the service stops. */
@Injectable()
export class MetricsServer implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #logger = new Logger('Metrics');
  #server: Server | undefined;

  constructor(
    private readonly metrics: MetricsService,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** @throws when the port is taken */
  async onApplicationBootstrap(): Promise<void> {
    const { HOST, METRICS_PORT } = this.config;
    if (METRICS_PORT === undefined) return;
    this.#server = createServer({ requestTimeout: timeoutMs, headersTimeout: timeoutMs }, (request, response) => {
      void this.#answer(request, response);
    });
    this.#server.listen(METRICS_PORT, HOST);
    await once(this.#server, 'listening');
    const address = this.#server.address();
    this.#logger.log({ event: 'metrics listening', port: typeof address === 'object' ? address?.port : undefined });
  }

  onApplicationShutdown(): void {
    this.#server?.close();
    this.#server?.closeAllConnections();
  }

  async #answer({ method, url, headers }: IncomingMessage, response: ServerResponse): Promise<void> {
    const token = this.config.METRICS_TOKEN;
    if (method !== 'GET' || url?.split('?', 1)[0] !== '/metrics') return end(response, 404, 'GET /metrics');
    if (token !== undefined && !isSame(headers.authorization ?? '', `Bearer ${token}`)) {
      response.setHeader('www-authenticate', 'Bearer realm="gatehouse"');
      return end(response, 401, 'Send METRICS_TOKEN as a bearer token.');
    }
    try {
      const text = await this.metrics.render();
      response.setHeader('content-type', this.metrics.contentType);
      end(response, 200, text);
    } catch (error) {
      this.#logger.error({ err: error, event: 'metrics could not be read' });
      end(response, 500, 'See the log.');
    }
  }
}

function end(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }).end(text);
}
