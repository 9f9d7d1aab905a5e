import { ApolloServer } from '@apollo/server';
import { fastifyApolloHandler } from '@as-integrations/fastify';
import { Injectable } from '@nestjs/common';
import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import type { FastifyReply, FastifyRequest } from 'fastify';

import type { RequestContext } from '#libs/platform/access';
import type { AppError } from '#libs/platform/errors';

import type { Answer } from '../graphql-door.js';
import { sendRefusal } from '../send-refusal.js';
import { findExcess } from './query-source.js';

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
    this.#answer = async (request, reply) => {
      const refusal = refusalOf(request);
      return refusal ? sendRefusal(refusal, request, reply) : handle.call(request.server, request, reply);
    };
  }
}

/** Before Apollo's server, which parses and validates at once. */
function refusalOf({ body, query }: FastifyRequest): AppError | undefined {
  const source = textOf(body) ?? textOf(query);
  return source === undefined ? undefined : findExcess(source);
}

function textOf(fields: unknown): string | undefined {
  const text: unknown = typeof fields === 'object' && fields !== null ? Reflect.get(fields, 'query') : undefined;
  return typeof text === 'string' ? text : undefined;
}

const contextOf = (request: FastifyRequest, reply: FastifyReply): Promise<RequestContext> =>
  Promise.resolve({ request, reply });
