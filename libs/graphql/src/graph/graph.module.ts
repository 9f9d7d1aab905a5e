import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled';
import { type DynamicModule, Logger, Module } from '@nestjs/common';
import type { ApolloDriverConfig } from '@nestjs/apollo';
import { GraphQLModule } from '@nestjs/graphql';
import { NoSchemaIntrospectionCustomRule } from 'graphql';

import { AuditModule } from '#libs/security/audit';
import { AuthModule } from '#libs/auth';
import { IdempotencyModule } from '#libs/platform/idempotency';
import type { Config } from '#libs/platform/config';
import { ServicesModule } from '#libs/services';
import { UsersModule } from '#libs/users';

import { AuditResolver } from './audit.resolver.js';
import { AvatarResolver } from './avatar.resolver.js';
import { GraphDriver } from './graph.driver.js';
import { formatGraphError } from './graph.errors.js';
import { LoginResolver } from './login.resolver.js';
import { errorLimit } from './query-limits.js';
import { requestPlugin } from './request.plugin.js';
import { ServicesResolver } from './services.resolver.js';
import { SessionLoader } from './session-loader.js';
import { SessionsResolver } from './sessions.resolver.js';
import { UserConnectionResolver } from './user-connection.resolver.js';
import { UserFieldsResolver } from './user-fields.resolver.js';
import { UserMutationsResolver } from './user-mutations.resolver.js';
import { UsersResolver } from './users.resolver.js';

/** The graph: resolvers that call what the controllers call. */
@Module({
  imports: [AuditModule, AuthModule, IdempotencyModule, ServicesModule, UsersModule],
  providers: [
    AuditResolver,
    AvatarResolver,
    LoginResolver,
    ServicesResolver,
    SessionLoader,
    SessionsResolver,
    UserConnectionResolver,
    UserFieldsResolver,
    UserMutationsResolver,
    UsersResolver,
  ],
})
export class GraphModule {
  static forRoot({ GRAPHQL_INTROSPECTION: isOpen }: Config): DynamicModule {
    const options: ApolloDriverConfig = {
      driver: GraphDriver,
      autoSchemaFile: true,
      sortSchema: true,
      // served by the door, from packages; the driver's own page comes from another host
      graphiql: false,
      validationRules: isOpen ? [] : [NoSchemaIntrospectionCustomRule],
      introspection: true,
      hideSchemaDetailsFromClientErrors: !isOpen,
      // the one more says that there are more
      validationOptions: { maxErrors: errorLimit - 1 },
      maxRecursiveSelections: true,
      formatError: formatGraphError,
      autoTransformHttpErrors: false,
      // a mutation needs JSON, which no form can send; queries change nothing, and a browser adds no credentials
      csrfPrevention: false,
      allowBatchedHttpRequests: false,
      persistedQueries: false,
      stopOnTerminationSignals: false,
      includeStacktraceInErrorResponses: false,
      // Apollo's own adds a line end, and so copies the text of a whole page
      stringifyResult: (result) => JSON.stringify(result),
      logger: apolloLogger,
      plugins: [
        requestPlugin,
        // the first hooks into every field, the second would report to its maker if a variable of the environment said so
        ApolloServerPluginCacheControlDisabled(),
        ApolloServerPluginUsageReportingDisabled(),
      ],
    };
    return { module: GraphModule, imports: [GraphQLModule.forRoot(options)] };
  }
}

const logger = new Logger('Apollo');
const apolloLogger = {
  debug: (message?: string) => logger.debug(message),
  info: (message?: string) => logger.debug(message),
  warn: (message?: string) => logger.warn(message),
  error: (message?: string) => logger.error(message),
};
