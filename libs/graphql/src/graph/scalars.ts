import { GraphQLScalarType } from 'graphql';

const identity = (value: unknown): unknown => value;

/** Times are texts in the REST views already, and texts that come in are held against the REST schemas. */
export const DateTime = new GraphQLScalarType({
  name: 'DateTime',
  description: 'A time as RFC 3339 has it, answered in UTC with milliseconds: `2026-11-21T09:30:00.000Z`.',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc3339#section-5.6',
  serialize: identity,
  parseValue: identity,
});

export const Json = new GraphQLScalarType({
  name: 'JSON',
  description: 'Any JSON value. It is only answered, never taken.',
  serialize: identity,
});
