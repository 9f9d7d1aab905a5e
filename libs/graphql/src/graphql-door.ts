import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost, LazyModuleLoader } from '@nestjs/core';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { type Config, CONFIG } from '#libs/platform/config';

import { hasGraphiql } from './explorer/graphiql-files.js';
import { pageOfGraphiql, pagePolicy } from './explorer/graphiql-page.js';

/** Answers a GraphQL request. */
export type Answer = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;

/**
 * `/graphql`. The packages behind it take longer to load than the rest of the service, so they are loaded by the first
 * request unless `GRAPHQL=eager` (ADR 13).
 */
@Injectable()
export class GraphqlDoor implements OnModuleInit, OnApplicationBootstrap {
  readonly #logger = new Logger('GraphQL');
  #answer: Promise<Answer> | undefined;

  constructor(
    private readonly host: HttpAdapterHost<FastifyAdapter>,
    private readonly loader: LazyModuleLoader,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  onModuleInit(): void {
    const isShown = hasGraphiql(this.config);
    this.host.httpAdapter.getInstance().route({
      url: '/graphql',
      method: ['GET', 'POST'],
      handler: async (request, reply) => {
        if (isShown && wantsPage(request)) return sendPage(reply);
        return (await this.#load())(request, reply);
      },
    });
  }

  async onApplicationBootstrap(): Promise<void> {
    if (this.config.GRAPHQL === 'eager') await this.#load();
  }

  /** Those who ask while it is loading wait for the same load; after a failure the next one tries again. */
  #load(): Promise<Answer> {
    this.#answer ??= this.#build().catch((error: unknown) => {
      this.#answer = undefined;
      throw error;
    });
    return this.#answer;
  }

  async #build(): Promise<Answer> {
    const startedAt = performance.now();
    const { createGraph } = await import('./graph/create-graph.js');
    const answer = await createGraph(this.loader, this.config);
    this.#logger.log({ event: 'GraphQL is loaded', loadMs: Math.round(performance.now() - startedAt) });
    return answer;
  }
}

/** A browser that opens the address, not one that asks something. */
function wantsPage({ method, headers, query }: FastifyRequest): boolean {
  const isAsking = typeof query === 'object' && query !== null && 'query' in query;
  return method === 'GET' && !isAsking && (headers.accept ?? '').includes('text/html');
}

const sendPage = (reply: FastifyReply): FastifyReply =>
  reply
    .headers({ 'content-type': 'text/html; charset=utf-8', 'content-security-policy': pagePolicy })
    .send(pageOfGraphiql);
