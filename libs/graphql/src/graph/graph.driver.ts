import { ApolloServer } from '@apollo/server';
import { fastifyApolloHandler } from '@as-integrations/fastify';
import { Injectable } from '@nestjs/common';
import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import type { FastifyReply, FastifyRequest } from 'fastify';

import type { RequestContext } from '#libs/platform/access';

import type { Answer } from '../graphql-door.js';

/** Apollo's server, without a route of its own: ours exists before it does. */
@Injectable()
export class GraphDriver extends ApolloDriver {
  #answer: Answer | undefined;

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
    const handle = fastifyApolloHandler(server, { context: contextOf });
    this.#answer = (request, reply) => Promise.resolve(handle.call(request.server, request, reply));
  }
}

const contextOf = (request: FastifyRequest, reply: FastifyReply): Promise<RequestContext> =>
  Promise.resolve({ request, reply });
