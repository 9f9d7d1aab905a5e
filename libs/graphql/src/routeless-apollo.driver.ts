import { ApolloServer } from '@apollo/server';
import { fastifyApolloHandler } from '@as-integrations/fastify';
import { Injectable } from '@nestjs/common';
import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { ModulesContainer } from '@nestjs/core';

import { SessionsService } from '#libs/auth';

import type { Answer } from './lazy-graphql-route.js';
import { type GraphqlContext, SessionLoader } from './schema/session-loader.js';

/** Apollo's server without a route of its own: `LazyGraphqlRoute` is there before this server is loaded. */
@Injectable()
export class RoutelessApolloDriver extends ApolloDriver {
  #answer: Answer | undefined;

  constructor(
    modules: ModulesContainer,
    private readonly sessions: SessionsService,
  ) {
    super(modules);
  }

  get answer(): Answer {
    if (!this.#answer) throw new Error('GraphQL was not started');
    return this.#answer;
  }

  protected override async registerFastify(options: ApolloDriverConfig): Promise<void> {
    const { schema, plugins = [], typeDefs: _, resolvers: __, ...rest } = options;
    if (!schema) throw new Error('GraphQL has no schema');
    const server = new ApolloServer({ ...rest, schema, plugins: [...plugins] });
    await server.start();
    this.apolloServer = server;
    const handle = fastifyApolloHandler(server, {
      context: (request, reply): Promise<GraphqlContext> =>
        Promise.resolve({ request, reply, sessionLoader: new SessionLoader(this.sessions, request) }),
    });
    this.#answer = async (request, reply) => handle.call(request.server, request, reply);
  }
}
