import { ApolloServer } from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled';
import { fastifyApolloHandler } from '@as-integrations/fastify';
import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { type DynamicModule, Injectable, Logger, Module } from '@nestjs/common';
import type { LazyModuleLoader } from '@nestjs/core';
import { AbstractGraphQLDriver, GraphQLModule } from '@nestjs/graphql';
import { extendSchema, NoSchemaIntrospectionCustomRule } from 'graphql';

import { AuditModule } from '#libs/security/audit';
import { AuthModule, SessionsService } from '#libs/auth';
import { InvitationsModule } from '#libs/invitations';
import { IdempotencyModule } from '#libs/platform/idempotency';
import type { Config } from '#libs/platform/config';
import { RolesModule } from '#libs/roles';
import { ServicesModule } from '#libs/services';
import { UsersModule } from '#libs/users';

import { formatGraphqlError } from './graphql-errors.js';
import type { LoadedGraphql } from './lazy-graphql-route.js';
import { errorLimit } from './limits/query-limits.js';
import { findExcess } from './limits/query-source.js';
import { requestPlugin } from './request.plugin.js';
import { AuditResolver } from './resolvers/audit.resolver.js';
import { InvitationsResolver } from './resolvers/invitations.resolver.js';
import { EmailVerificationResolver } from './resolvers/email-verification.resolver.js';
import { LoginResolver } from './resolvers/login.resolver.js';
import { PasswordResetResolver } from './resolvers/password-reset.resolver.js';
import { RolesResolver } from './resolvers/roles.resolver.js';
import { ServicesResolver } from './resolvers/services.resolver.js';
import { SessionsResolver } from './resolvers/sessions.resolver.js';
import { UserMutationsResolver } from './resolvers/user-mutations.resolver.js';
import { UsersResolver } from './resolvers/users.resolver.js';
import { type GraphqlContext, SessionLoader } from './schema/session-loader.js';
import { rowFields } from './schema/user.types.js';

/** Apollo's server without a route: `LazyGraphqlRoute` has it before this server is loaded. */
@Injectable()
class RoutelessApolloDriver extends ApolloDriver {
  protected override async registerFastify(options: ApolloDriverConfig): Promise<void> {
    const { schema, plugins = [], typeDefs: _, resolvers: __, ...rest } = options;
    if (!schema) throw new Error('GraphQL has no schema');
    this.apolloServer = new ApolloServer({ ...rest, schema, plugins: [...plugins] });
    await this.apolloServer.start();
  }
}

/** Apollo's server and the resolvers, which call the services that the controllers call. */
@Module({
  imports: [AuditModule, AuthModule, IdempotencyModule, InvitationsModule, RolesModule, ServicesModule, UsersModule],
  providers: [
    AuditResolver,
    InvitationsResolver,
    EmailVerificationResolver,
    LoginResolver,
    PasswordResetResolver,
    RolesResolver,
    ServicesResolver,
    SessionsResolver,
    UserMutationsResolver,
    UsersResolver,
  ],
})
export class ApolloModule {
  static forRoot({ GRAPHQL_INTROSPECTION: isOpen }: Config): DynamicModule {
    const options: ApolloDriverConfig = {
      driver: RoutelessApolloDriver,
      autoSchemaFile: true,
      sortSchema: true,
      transformSchema: (schema) => extendSchema(schema, rowFields),
      // ours is served from packages; the driver's page loads its scripts from another host
      graphiql: false,
      validationRules: isOpen ? [] : [NoSchemaIntrospectionCustomRule],
      introspection: true,
      hideSchemaDetailsFromClientErrors: !isOpen,
      // graphql-js adds one more, which says that there are more
      validationOptions: { maxErrors: errorLimit - 1 },
      maxRecursiveSelections: true,
      formatError: formatGraphqlError,
      autoTransformHttpErrors: false,
      // mutations need JSON, which no form can send, and no cookie authenticates
      csrfPrevention: false,
      allowBatchedHttpRequests: false,
      persistedQueries: false,
      stopOnTerminationSignals: false,
      includeStacktraceInErrorResponses: false,
      // Apollo's default adds a line end, and so copies the text of a whole page
      stringifyResult: (result) => JSON.stringify(result),
      logger: apolloLogger,
      plugins: [
        requestPlugin,
        // the first hooks into every field; the second reports to its maker when `APOLLO_KEY` is
        // set
        ApolloServerPluginCacheControlDisabled(),
        ApolloServerPluginUsageReportingDisabled(),
      ],
    };
    return { module: ApolloModule, imports: [GraphQLModule.forRoot(options)] };
  }
}

const logger = new Logger('Apollo');
const apolloLogger = {
  debug: (message?: string) => logger.debug(message),
  info: (message?: string) => logger.debug(message),
  warn: (message?: string) => logger.warn(message),
  error: (message?: string) => logger.error(message),
};

/** Loads the modules, builds the schema and starts Apollo's server. */
export async function loadGraphql(loader: LazyModuleLoader, config: Config): Promise<LoadedGraphql> {
  const module = await loader.load(() => ApolloModule.forRoot(config));
  // Nest calls no lifecycle hooks of modules that are loaded late
  await module.get(GraphQLModule, { strict: false }).onModuleInit();
  const driver = module.get(AbstractGraphQLDriver, { strict: false });
  if (!(driver instanceof RoutelessApolloDriver)) throw new Error('GraphQL has another driver than ours');
  const sessions = module.get(SessionsService, { strict: false });
  const handle = fastifyApolloHandler(driver.instance, {
    context: (request, reply): Promise<GraphqlContext> =>
      Promise.resolve({ request, reply, sessionLoader: new SessionLoader(sessions, request) }),
  });
  return { findExcess, answer: async (request, reply) => handle.call(request.server, request, reply) };
}
