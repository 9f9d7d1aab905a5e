import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost, LazyModuleLoader } from '@nestjs/core';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { GuardedWithin } from '#libs/platform/access';
import { type Config, CONFIG } from '#libs/platform/config';
import { type AppError, toProblem } from '#libs/platform/errors';
import { answerFailure, toLogged, toPublicPath } from '#libs/platform/http';
import { RateClass } from '#libs/security/rate-limits';

import { hasGraphiql } from './explorer/graphiql-files.js';
import { graphiqlPolicy, pageOfGraphiql } from './explorer/graphiql-page.js';

export type LoadedGraphql = {
  /** The refusal of a query that is too costly to be parsed. */
  readonly findExcess: (query: string) => AppError | undefined;
  readonly answer: (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;
};

/** As much as the routes that take the `profile` of a user. */
const bodyLimit = 64 * 1024;
/** GraphQL over HTTP, §4: clients that accept it heed other statuses than 200. */
const graphqlResponse = 'application/graphql-response+json';

/**
 * The route `/graphql`. Its packages take long to load, so the first request loads them, unless
 * `GRAPHQL=eager` (ADR 13).
 */
@Injectable()
export class LazyGraphqlRoute implements OnModuleInit, OnApplicationBootstrap {
  readonly #logger = new Logger('GraphQL');
  #loaded: Promise<LoadedGraphql> | undefined;

  constructor(
    private readonly host: HttpAdapterHost<FastifyAdapter>,
    private readonly loader: LazyModuleLoader,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  onModuleInit(): void {
    this.host.httpAdapter.getInstance().route({
      url: '/graphql',
      method: ['GET', 'POST'],
      // the guards count a request before its body is read: also one whose query is refused
      // oxlint-disable-next-line typescript/unbound-method -- only its metadata is read
      config: { bodyLimit, endpoint: { controller: LazyGraphqlRoute, handler: LazyGraphqlRoute.prototype.answer } },
      errorHandler: answerRefused,
      handler: (request, reply) => this.answer(request, reply),
    });
  }

  /** Lets anybody in: each field of `Query` and `Mutation` has guards of its own. */
  @GuardedWithin()
  @RateClass('read')
  async answer(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    if (wantsPage(request) && hasGraphiql(this.config)) return sendPage(reply);
    const { findExcess, answer } = await this.#load();
    const query = queryOf(request.body) ?? queryOf(request.query);
    // before Apollo's server, which parses and validates in one go
    const excess = query === undefined ? undefined : findExcess(query);
    return excess ? sendRefusal(excess, request, reply) : answer(request, reply);
  }

  async onApplicationBootstrap(): Promise<void> {
    if (this.config.GRAPHQL === 'eager') await this.#load();
  }

  /** Requests during a load wait for that load. When it fails, the next request tries again. */
  #load(): Promise<LoadedGraphql> {
    this.#loaded ??= this.#loadOnce().catch((error: unknown) => {
      this.#loaded = undefined;
      throw error;
    });
    return this.#loaded;
  }

  async #loadOnce(): Promise<LoadedGraphql> {
    const startedAt = performance.now();
    const { loadGraphql } = await import('./apollo.module.js');
    const loaded = await loadGraphql(this.loader, this.config);
    this.#logger.log({ event: 'GraphQL is loaded', loadMs: Math.round(performance.now() - startedAt) });
    return loaded;
  }
}

/** What the guards refuse gets the form of GraphQL; a faulty body is answered as on every route. */
function answerRefused(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  if (request.isAdmitted) answerFailure(error, request, reply);
  else sendRefusal(toLogged(error, request), request, reply);
}

/** Answers as Apollo's server does when it executes nothing: the problem's text is the message. */
function sendRefusal(refusal: AppError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  request.errorCode = refusal.code;
  const { detail, ...extensions } = toProblem(refusal, {
    path: toPublicPath(request, '/graphql'),
    requestId: request.id,
  });
  const type = request.headers.accept?.includes(graphqlResponse) === true ? graphqlResponse : 'application/json';
  return reply
    .status(refusal.status)
    .headers({ ...refusal.options.headers, 'content-type': `${type}; charset=utf-8` })
    .send(JSON.stringify({ errors: [{ message: detail, extensions }] }));
}

function queryOf(fields: unknown): string | undefined {
  const query: unknown = typeof fields === 'object' && fields !== null ? Reflect.get(fields, 'query') : undefined;
  return typeof query === 'string' ? query : undefined;
}

/** Whether a browser opens the address; a client sends a query in it. */
function wantsPage({ method, headers, query }: FastifyRequest): boolean {
  const hasQuery = typeof query === 'object' && query !== null && 'query' in query;
  return method === 'GET' && !hasQuery && (headers.accept ?? '').includes('text/html');
}

const sendPage = (reply: FastifyReply): FastifyReply =>
  reply
    .headers({ 'content-type': 'text/html; charset=utf-8', 'content-security-policy': graphiqlPolicy })
    .send(pageOfGraphiql);
