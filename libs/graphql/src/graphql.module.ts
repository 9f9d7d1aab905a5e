import { type DynamicModule, Module } from '@nestjs/common';

import type { Config } from '#libs/platform/config';

import { GraphiqlController } from './explorer/graphiql.controller.js';
import { hasGraphiql } from './explorer/graphiql-files.js';
import { LazyGraphqlRoute } from './lazy-graphql-route.js';

/** GraphQL beside REST: the route exists from the start, the first request loads the rest. */
@Module({})
export class GraphqlModule {
  static forRoot(config: Config): DynamicModule {
    if (config.GRAPHQL === 'off') return { module: GraphqlModule };
    return {
      module: GraphqlModule,
      providers: [LazyGraphqlRoute],
      controllers: hasGraphiql(config) ? [GraphiqlController] : [],
    };
  }
}
