import {
  type FragmentDefinitionNode,
  getVariableValues,
  GraphQLError,
  type GraphQLSchema,
  type DocumentNode,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
} from 'graphql';

import { NotPlanned, QueryPlanner, type Selection } from './query-plan.js';
import { type Executed, QueryRunner } from './query-runner.js';

type Request = {
  readonly schema: GraphQLSchema;
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  readonly variableValues: Readonly<Record<string, unknown>> | undefined;
  readonly contextValue: unknown;
};

/** Executes a validated query by its plan; nothing for what is left to graphql-js: mutations, introspection, faults. */
export function executeByPlan(request: Request): Promise<Executed> | undefined {
  const selection = planOf(request);
  return selection && new QueryRunner(request.contextValue).run(selection, undefined);
}

/** Plans of operations without variables; Apollo's server keeps documents that it has seen. */
const kept = new WeakMap<OperationDefinitionNode, Selection>();

function planOf(request: Request): Selection | undefined {
  const { operation } = request;
  if (operation.operation !== OperationTypeNode.QUERY) return undefined;
  const known = kept.get(operation);
  if (known) return known;
  const plan = makePlan(request);
  if (plan && !operation.variableDefinitions?.length) kept.set(operation, plan);
  return plan;
}

function makePlan({ schema, document, operation, variableValues }: Request): Selection | undefined {
  const root = schema.getQueryType();
  const variables = getVariableValues(schema, operation.variableDefinitions ?? [], variableValues ?? {});
  if (!root || !variables.coerced) return undefined;
  const fragments: Record<string, FragmentDefinitionNode> = {};
  for (const part of document.definitions)
    if (part.kind === Kind.FRAGMENT_DEFINITION) fragments[part.name.value] = part;
  const asked = { schema, operation, fragments, variableValues: variables.coerced, rootValue: undefined };
  try {
    return new QueryPlanner(asked).plan(root);
  } catch (error) {
    // graphql-js finds the same fault in its place, and says where
    if (error instanceof NotPlanned || error instanceof GraphQLError) return undefined;
    throw error;
  }
}
