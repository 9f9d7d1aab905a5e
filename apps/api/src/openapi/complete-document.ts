import type { OpenAPIObject } from '@nestjs/swagger';

import { type AccessRule, securityOf } from '#libs/platform/access';
import { type ErrorCode, errorCodes } from '#libs/platform/errors';

type PathItem = OpenAPIObject['paths'][string];
type Operation = NonNullable<PathItem['get']>;
type Schemas = NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>;
type Schema = Schemas[string];
type Response = NonNullable<Operation['responses'][string]>;

const methods = ['get', 'post', 'put', 'patch', 'delete'] as const;
const oauthError = { $ref: '#/components/schemas/OAuthError' };
const problem = { $ref: '#/components/schemas/Problem' };
/** Errors of the HTTP layer on every route, and on routes that take a body. */
const anywhere: readonly ErrorCode[] = [
  'bad-request',
  'invalid-url',
  'headers-too-large',
  'internal-error',
  'unavailable',
];
const withBody: readonly ErrorCode[] = [
  'malformed-json',
  'invalid-encoding',
  'json-too-deep',
  'request-timeout',
  'body-too-large',
  'unsupported-media-type',
];

const accessErrors: readonly ErrorCode[] = [
  'authentication-required',
  'invalid-token',
  'invalid-service-key',
  'forbidden',
];

/** Adds who may call each operation, and the errors of guard and HTTP layer. */
export function completeDocument(document: OpenAPIObject): OpenAPIObject {
  for (const item of Object.values(document.paths)) {
    for (const method of methods) {
      const operation = item[method];
      if (operation) complete(operation, method, document.components?.schemas ?? {});
    }
  }
  return document;
}

function complete(operation: Operation, method: string, schemas: Schemas): void {
  const access = takeExtension(operation, 'x-access');
  const isLimited = takeExtension(operation, 'x-unlimited') !== true;
  const needsFresh = takeExtension(operation, 'x-fresh-authentication') === true;
  const rule = isRule(access) ? access : undefined;
  if (takeExtension(operation, 'x-also-text') === true) addText(operation);
  const isPublic = rule?.kind === 'public' || rule?.kind === 'public-or-service';
  operation.security = [...securityOf(rule)];
  const codes = [
    ...anywhere,
    ...(operation.requestBody ? withBody : []),
    ...(isPublic ? [] : accessErrors),
    ...(needsFresh ? (['fresh-authentication-required'] as const) : []),
    ...(isLimited ? (['rate-limited'] as const) : []),
  ];
  addProblems(operation, codes);
  if (takeExtension(operation, 'x-without-second-factor') !== true) addSecondFactor(operation, rule);
  for (const [status, response] of Object.entries(operation.responses)) {
    if (response && !('$ref' in response)) completeResponse(Number(status), response, isLimited ? limitHeaders : {});
  }
  addForm(operation, schemas);
  if (method === 'patch' && operation.requestBody && 'content' in operation.requestBody) {
    const { content } = operation.requestBody;
    const json = content['application/json'];
    if (json) content['application/merge-patch+json'] = json;
  }
}

/** Decorators leave notes for this file in the document; they are not part of it. */
function takeExtension(operation: Operation, name: `x-${string}`): unknown {
  const value: unknown = Reflect.get(operation, name);
  Reflect.deleteProperty(operation, name);
  return value;
}

/** The answer is JSON, or plain text when the client prefers it. */
function addText(operation: Operation): void {
  const response = operation.responses['200'];
  if (response && 'content' in response && response.content) {
    response.content['text/plain'] = { schema: { type: 'string' } };
  }
}

/** The JSON body may also come as a form, with its members as text and a file beside them. */
function addForm(operation: Operation, schemas: Schemas): void {
  const file = takeExtension(operation, 'x-form-file');
  if (typeof file !== 'string' || !operation.requestBody || !('content' in operation.requestBody)) return;
  const { content } = operation.requestBody;
  const json = resolved(content['application/json']?.schema, schemas);
  const texts = Object.entries(json?.properties ?? {}).map(([name, member]) => [name, asText(member)]);
  content['multipart/form-data'] = {
    schema: {
      type: 'object',
      description: 'The members of the JSON body as text, and a picture',
      properties: { ...Object.fromEntries(texts), [file]: { type: 'string', format: 'binary' } },
      ...(json?.required && { required: json.required }),
      additionalProperties: false,
    },
  };
}

function resolved(schema: Schema | undefined, schemas: Schemas): Exclude<Schema, { $ref: string }> | undefined {
  if (!schema || !('$ref' in schema)) return schema;
  return resolved(schemas[schema.$ref.replace('#/components/schemas/', '')], schemas);
}

function asText(member: Schema): Schema {
  const description = '$ref' in member ? undefined : member.description;
  return { type: 'string', ...(description !== undefined && { description }) };
}

function addProblems(operation: Operation, codes: readonly ErrorCode[]): void {
  // An operation with OAuth errors of its own answers these in the same format.
  const isOAuth = JSON.stringify(operation.responses['400'] ?? '').includes(oauthError.$ref);
  const content = isOAuth
    ? { 'application/json': { schema: oauthError } }
    : { 'application/problem+json': { schema: problem } };
  for (const [status, group] of Map.groupBy(codes, (code) => errorCodes[code].status)) {
    const names = group.map((code) => `\`${code}\``);
    const known = operation.responses[status];
    if (known && 'description' in known) known.description = [known.description, ...names].join(', ');
    else operation.responses[status] = { description: names.join(', '), content };
  }
}

/** Who holds one of `SECOND_FACTOR_ROLES`: the code of a login, under the status of a refusal. */
function addSecondFactor(operation: Operation, rule: AccessRule | undefined): void {
  const forbidden = operation.responses['403'];
  const isAsked = rule === undefined || rule.kind === 'optional' || rule.kind === 'requires';
  const isForUsers = operation.security?.some((ways) => 'accessToken' in ways) === true;
  if (!isAsked || !isForUsers || !forbidden || !('description' in forbidden)) return;
  forbidden.description += ', `second-factor-required`';
}

function completeResponse(
  status: number,
  response: Exclude<Response, { $ref: string }>,
  counted: typeof limitHeaders | Record<string, never>,
): void {
  const json = response.content?.['application/json'];
  if (status >= 400 && json && JSON.stringify(json.schema) === JSON.stringify(problem)) {
    response.content = { 'application/problem+json': json };
  }
  response.headers = {
    'X-Request-Id': header('Yours if it was sane, else a new one'),
    ...counted,
    ...(status === 429 && { 'Retry-After': header('Seconds until there is more') }),
    ...(status === 401 && { 'WWW-Authenticate': header('Challenge of RFC 6750') }),
    ...challengeOf(status, response.description),
    ...response.headers,
  };
}

/** Of RFC 9470, where a token is good and not enough. */
function challengeOf(status: number, description: string): Record<string, ReturnType<typeof header>> {
  const codes = ['fresh-authentication-required', 'second-factor-required'].map((code) => `\`${code}\``);
  const challenged = codes.filter((code) => status === 403 && description.includes(code));
  if (challenged.length === 0) return {};
  return { 'WWW-Authenticate': header(`Challenge of RFC 9470, for ${challenged.join(' and ')}`) };
}

const header = (description: string) => ({ description, schema: { type: 'string' as const } });

const limitHeaders = {
  RateLimit: header('What is left of the limit that counts, and in how many seconds there is more'),
  'RateLimit-Policy': header('That limit: its name, requests and seconds'),
};

const isRule = (value: unknown): value is AccessRule => typeof value === 'object' && value !== null && 'kind' in value;
