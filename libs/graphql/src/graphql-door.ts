import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost, LazyModuleLoader } from '@nestjs/core';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { GuardedWithin } from '#libs/platform/access';
import { type Config, CONFIG } from '#libs/platform/config';
import { answerFailure, toLogged } from '#libs/platform/http';
import { RateClass } from '#libs/security/rate-limits';

import { hasGraphiql } from './explorer/graphiql-files.js';
import { pageOfGraphiql, pagePolicy } from './explorer/graphiql-page.js';
import { sendRefusal } from './send-refusal.js';

/** Answers a GraphQL request. */
export type Answer = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;

/**
 * `/graphql`. The packages behind it take longer to load than the rest of the service, so they are loaded by the first
 * request unless `GRAPHQL=eager` (ADR 13).
 */
@Injectable()
export class GraphqlDoor implements OnModuleInit, OnApplicationBootstrap {
  readonly #logger = new Logger('GraphQL');
  #built: Promise<Answer> | undefined;

  constructor(
    private readonly host: HttpAdapterHost<FastifyAdapter>,
    private readonly loader: LazyModuleLoader,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  onModuleInit(): void {
    this.host.httpAdapter.getInstance().route({
      url: '/graphql',
      method: ['GET', 'POST'],
      // the guards run before the body is read, so that queries count which are refused unparsed
      // oxlint-disable-next-line typescript/unbound-method -- only what its decorators say is read
      config: { endpoint: { controller: GraphqlDoor, handler: GraphqlDoor.prototype.answer } },
      errorHandler: answerRefused,
      handler: (request, reply) => this.answer(request, reply),
    });
  }

  /** Anybody may ask; each field has guards of its own. */
  @GuardedWithin()
  @RateClass('read')
  async answer(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    if (wantsPage(request) && hasGraphiql(this.config)) return sendPage(reply);
    return (await this.#load())(request, reply);
  }

  async onApplicationBootstrap(): Promise<void> {
    if (this.config.GRAPHQL === 'eager') await this.#load();
  }

  /** Those who ask while it is loading wait for the same load; after a failure the next one tries again. */
  #load(): Promise<Answer> {
    this.#built ??= this.#build().catch((error: unknown) => {
      this.#built = undefined;
      throw error;
    });
    return this.#built;
  }

  async #build(): Promise<Answer> {
    const startedAt = performance.now();
    const { createGraph } = await import('./graph/create-graph.js');
    const answer = await createGraph(this.loader, this.config);
    this.#logger.log({ event: 'GraphQL is loaded', loadMs: Math.round(performance.now() - startedAt) });
    return answer;
  }
}

/** What the guards refuse is refused in GraphQL's words; what is wrong with a body as such, as on every route. */
function answerRefused(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  if (request.isAdmitted) answerFailure(error, request, reply);
  else sendRefusal(toLogged(error, request), request, reply);
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
