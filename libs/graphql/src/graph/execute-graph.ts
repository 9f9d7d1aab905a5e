import {
  execute,
  type ExecutionResult,
  type FragmentDefinitionNode,
  getOperationAST,
  getVariableValues,
  GraphQLError,
  type GraphQLSchema,
  type DocumentNode,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
} from 'graphql';

import { NotPlanned, QueryPlanner, type Selection } from './query-plan.js';
import { QueryRunner } from './query-runner.js';

type Request = {
  readonly schema: GraphQLSchema;
  readonly document: DocumentNode;
  readonly operationName: string | null | undefined;
  readonly variableValues: Readonly<Record<string, unknown>> | undefined;
  readonly contextValue: unknown;
};

/** Executes a validated request: queries by a plan, for pages have many objects; all the rest as graphql-js does it. */
export async function executeGraph(request: Request): Promise<ExecutionResult> {
  const selection = planOf(request);
  if (!selection) return execute(request);
  return new QueryRunner(request.contextValue).run(selection, undefined);
}

/** Plans of operations without variables; Apollo's server keeps documents that it has seen. */
const kept = new WeakMap<OperationDefinitionNode, Selection>();

function planOf(request: Request): Selection | undefined {
  const operation = getOperationAST(request.document, request.operationName);
  if (operation?.operation !== OperationTypeNode.QUERY) return undefined;
  const known = kept.get(operation);
  if (known) return known;
  const plan = makePlan(request, operation);
  if (plan && !operation.variableDefinitions?.length) kept.set(operation, plan);
  return plan;
}

function makePlan(
  { schema, document, variableValues }: Request,
  operation: OperationDefinitionNode,
): Selection | undefined {
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
