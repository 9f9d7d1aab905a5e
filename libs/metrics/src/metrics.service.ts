import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';

import { type Config, CONFIG } from '#libs/platform/config';
import { connectionsOf, observeRequests, refusalsOf, routesOf } from '#libs/platform/http';
import { type MetricSource, MetricSources } from '#libs/platform/monitoring';

import type { Exposition } from './exposition.js';

/** This process's metrics in Prometheus' text format. Nothing is counted when metrics are off. */
@Injectable()
export class MetricsService implements OnApplicationBootstrap {
  #exposition: Exposition | undefined;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly sources: MetricSources,
    private readonly host: HttpAdapterHost<FastifyAdapter>,
  ) {}

  readonly contentType = 'text/plain; version=0.0.4; charset=utf-8';

  /** Runs when every part has registered its metrics and every route is known. */
  async onApplicationBootstrap(): Promise<void> {
    const { METRICS_PORT, METRICS_TOKEN } = this.config;
    if (METRICS_PORT === undefined && METRICS_TOKEN === undefined) return;
    const server = this.host.httpAdapter.getInstance();
    this.sources.register(...sourcesOf(server));
    const [{ Exposition }, { RequestMetrics }] = await Promise.all([
      import('./exposition.js'),
      import('./request-metrics.js'),
    ]);
    this.#exposition = new Exposition(this.sources.all);
    const requests = new RequestMetrics(this.#exposition.registry, routesOf(server));
    observeRequests(server, (request, reply, status) => requests.observe(request, reply.elapsedTime / 1_000, status));
  }

  /** @throws when metrics are off */
  render(): Promise<string> {
    if (!this.#exposition) throw new Error('Metrics are off');
    return this.#exposition.registry.metrics();
  }
}

const sourcesOf = (server: FastifyInstance): readonly MetricSource[] => [
  {
    name: 'http_refusals_total',
    help: 'Requests that the HTTP parser or the router refused, by error code',
    kind: 'counter',
    labelNames: ['code'],
    read: () => Array.from(refusalsOf(server), ([code, value]) => ({ labels: { code }, value })),
  },
  {
    name: 'http_connections',
    help: 'Open connections of clients',
    kind: 'gauge',
    read: () => connectionsOf(server).open(),
  },
  {
    name: 'http_connections_closed_total',
    help: 'Connections that were closed because a limit was reached, by its setting',
    kind: 'counter',
    labelNames: ['limit'],
    read: () => Array.from(connectionsOf(server).closed, ([limit, value]) => ({ labels: { limit }, value })),
  },
];
