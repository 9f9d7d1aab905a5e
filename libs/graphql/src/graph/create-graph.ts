import type { LazyModuleLoader } from '@nestjs/core';
import { AbstractGraphQLDriver, GraphQLModule } from '@nestjs/graphql';

import type { Config } from '#libs/platform/config';

import type { Answer } from '../graphql-door.js';
import { GraphDriver } from './graph.driver.js';
import { GraphModule } from './graph.module.js';

/** Loads the modules, builds the schema and starts the server behind the door. */
export async function createGraph(loader: LazyModuleLoader, config: Config): Promise<Answer> {
  const module = await loader.load(() => GraphModule.forRoot(config));
  // modules that come late have no lifecycle of their own
  await module.get(GraphQLModule, { strict: false }).onModuleInit();
  const driver = module.get(AbstractGraphQLDriver, { strict: false });
  if (!(driver instanceof GraphDriver)) throw new Error('GraphQL has another driver than ours');
  return driver.answer;
}
