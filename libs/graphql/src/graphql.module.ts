import { type DynamicModule, Module } from '@nestjs/common';

import type { Config } from '#libs/platform/config';

import { GraphiqlController } from './explorer/graphiql.controller.js';
import { hasGraphiql } from './explorer/graphiql-files.js';
import { LazyGraphqlRoute } from './lazy-graphql-route.js';

/** GraphQL beside REST: the door is here from the start, what is behind it comes with the first request. */
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
