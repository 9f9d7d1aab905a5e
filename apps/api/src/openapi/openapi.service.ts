import { Inject, Injectable, type INestApplication } from '@nestjs/common';
import type { DocumentBuilder, OpenAPIObject } from '@nestjs/swagger';
import { z } from 'zod';

import { scopes } from '#libs/platform/access';
import { type Config, CONFIG } from '#libs/platform/config';

import { completeDocument } from './complete-document.js';

/** In the order in which the explorer lists them: what people need first. */
const tags = {
  auth: 'Sign in, refresh, sign out',
  users: 'Accounts: register, read, list, change, erase, import',
  invitations: 'Accounts that are prepared for somebody, who makes them by a link',
  sessions: 'Where a user is signed in; change of the password',
  avatars: 'Pictures of users',
  messages: 'Encrypted messages that delete themselves',
  tokens: 'Tokens for services, introspection and revocation; why a token is refused',
  revocations: 'The feed of revocations, for services that check tokens by themselves',
  services: 'The calling microservices: scopes, secrets, rate plans',
  roles: 'Roles that users may hold, and what they permit',
  audit: 'Who did what',
  discovery: 'Keys and metadata for verifiers',
  health: 'Probes',
};

/** The OpenAPI 3.1 document of the routes, from the schemas that check their input and output. */
@Injectable()
export class OpenApiService {
  #app: INestApplication | undefined;
  #document: Promise<string> | undefined;

  constructor(@Inject(CONFIG) private readonly config: Config) {}

  /** Takes the application whose routes are described; it exists only after its providers do. */
  describe(app: INestApplication): void {
    this.#app = app;
  }

  /** JSON text, made at the first call. */
  document(): Promise<string> {
    if (!this.#app) throw new Error('OpenApiService.describe was not called');
    this.#document ??= createDocument(this.#app, this.config.PUBLIC_URL).then((made) => JSON.stringify(made));
    return this.#document;
  }
}

async function createDocument(app: INestApplication, serverUrl: string): Promise<OpenAPIObject> {
  // The import costs 60 ms and some megabytes, which a service whose document nobody reads saves.
  const { DocumentBuilder, SwaggerModule } = await import('@nestjs/swagger');
  const builder = new DocumentBuilder()
    .setTitle('Gatehouse')
    .setDescription('Users and auth for teams that run several microservices.')
    .setVersion('0.1.0')
    .setLicense('Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0')
    .setOpenAPIVersion('3.1.0')
    .addServer(serverUrl);
  for (const [tag, description] of Object.entries(tags)) builder.addTag(tag, description);
  const described = builder
    .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT' }, 'accessToken')
    .addApiKey({ type: 'apiKey', in: 'header', name: 'X-Service-Key', description: '`<name>.<secret>`' }, 'serviceKey')
    .addBasicAuth({ type: 'http', scheme: 'basic', description: 'Name and secret of a service' }, 'serviceBasic')
    .addOAuth2(serviceToken(serverUrl), 'serviceToken')
    .build();
  const document = SwaggerModule.createDocument(app, described, {
    standardSchemaConverter: (schema, { schemaType }) => toJsonSchema(schema, schemaType),
  });
  return completeDocument(document);
}

/** A token of a service for itself; it takes the place of the key. */
const serviceToken = (serverUrl: string): Parameters<DocumentBuilder['addOAuth2']>[0] => ({
  type: 'oauth2',
  description: 'A token of a service, as `Authorization: Bearer <token>`',
  flows: {
    clientCredentials: {
      tokenUrl: `${serverUrl}/v1/auth/token`,
      scopes: Object.fromEntries(scopes.map((scope) => [scope, 'As the scope of the service'])),
    },
  },
});

type JsonSchema = Readonly<Record<string, unknown>>;
type Converted = JsonSchema & { readonly $defs?: Record<string, JsonSchema> };
type Override = { format?: string | undefined; pattern?: string | undefined; propertyNames?: unknown };

/** A schema with an `id` becomes a component of that name; all others stay inline. */
function toJsonSchema(
  schema: unknown,
  io: 'input' | 'output',
): { schema: JsonSchema; components: Record<string, JsonSchema> } | undefined {
  if (!(schema instanceof z.ZodType)) return undefined;
  const text = JSON.stringify(
    z.toJSONSchema(schema, { target: 'draft-2020-12', io, unrepresentable: 'any', override: simplify }),
  );
  const converted: Converted = JSON.parse(text.replaceAll('"#/$defs/', '"#/components/schemas/'));
  const { $defs: components = {}, $schema: _, ...root } = converted;
  return { schema: root, components };
}

/** Removes what generators of clients misread: patterns beside a format, and `propertyNames`. */
function simplify({ jsonSchema }: { jsonSchema: Override }): void {
  if (jsonSchema.format) delete jsonSchema.pattern;
  delete jsonSchema.propertyNames;
}
