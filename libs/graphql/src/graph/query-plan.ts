import {
  defaultFieldResolver,
  type FieldNode,
  type FragmentDefinitionNode,
  getArgumentValues,
  getDirectiveValues,
  GraphQLIncludeDirective,
  type GraphQLLeafType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLResolveInfo,
  GraphQLSkipDirective,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
  TypeNameMetaFieldDef,
} from 'graphql';

/** What is asked of an object. */
export type Selection = {
  readonly fields: readonly PlannedField[];
  /** The object of the answer before it is filled: copies of one are faster to fill than new ones. */
  readonly blank: Readonly<Record<string, unknown>>;
};

/** What a field gives, as its type says. */
export type Shape = { readonly isNullable: boolean } & (
  | { readonly kind: 'leaf'; readonly type: GraphQLLeafType }
  | { readonly kind: 'list'; readonly item: Shape }
  | ({ readonly kind: 'object' } & Selection)
);

/** A field of a query, with all that is the same for each object that is asked for it. */
export type PlannedField = {
  /** Its name in the answer. */
  readonly key: string;
  /** `User.id`. */
  readonly name: string;
  readonly nodes: readonly FieldNode[];
  readonly resolve: (source: unknown, context: unknown) => unknown;
  readonly shape: Shape;
};

/** Of one operation with its variables. */
export type Asked = Pick<GraphQLResolveInfo, 'schema' | 'operation' | 'fragments' | 'variableValues' | 'rootValue'>;

type Place = GraphQLResolveInfo['path'] | undefined;
type Selected = Map<string, FieldNode[]>;

/** Thrown for what is left to graphql-js: introspection, abstract types, arguments that do not fit. */
export class NotPlanned extends Error {}

/**
 * Works out once a query what graphql-js works out once a field of each object: which fields are selected, and their
 * arguments. `info.path` of a field within a list lacks the indices.
 * @throws NotPlanned, GraphQLError
 */
export class QueryPlanner {
  constructor(private readonly asked: Asked) {}

  plan(root: GraphQLObjectType): Selection {
    return this.#planAll(root, [this.asked.operation.selectionSet], undefined);
  }

  #planAll(parent: GraphQLObjectType, sets: readonly SelectionSetNode[], place: Place): Selection {
    const [selected, spread] = [new Map() as Selected, new Set<string>()];
    for (const set of sets) this.#collect(set, parent, selected, spread);
    const fields = [...selected].map(([key, nodes]) => this.#planOne(parent, key, nodes, place));
    return { fields, blank: Object.fromEntries(fields.map(({ key }) => [key, null])) };
  }

  #planOne(parent: GraphQLObjectType, key: string, nodes: readonly FieldNode[], prev: Place): PlannedField {
    const [node] = nodes;
    const name = node?.name.value ?? '';
    const field = name === TypeNameMetaFieldDef.name ? TypeNameMetaFieldDef : parent.getFields()[name];
    // an object of JavaScript cannot have a field of its own by that name
    if (!node || !field || key === '__proto__') throw new NotPlanned();
    const place = { prev, key, typename: parent.name };
    const args = getArgumentValues(field, node, this.asked.variableValues);
    const info = {
      ...this.asked,
      fieldName: name,
      fieldNodes: nodes,
      returnType: field.type,
      parentType: parent,
      path: place,
    };
    const resolve = field.resolve ?? defaultFieldResolver;
    return {
      key,
      name: `${parent.name}.${name}`,
      nodes,
      resolve: (source, context) => resolve(source, args, context, info),
      shape: this.#shape(field.type, nodes, place),
    };
  }

  #shape(type: GraphQLOutputType, nodes: readonly FieldNode[], place: Place): Shape {
    if (isNonNullType(type)) return { ...this.#shape(type.ofType, nodes, place), isNullable: false };
    if (isListType(type)) return { kind: 'list', item: this.#shape(type.ofType, nodes, place), isNullable: true };
    if (isLeafType(type)) return { kind: 'leaf', type, isNullable: true };
    if (!isObjectType(type) || type.isTypeOf) throw new NotPlanned();
    const sets = nodes.flatMap(({ selectionSet }) => selectionSet ?? []);
    return { kind: 'object', ...this.#planAll(type, sets, place), isNullable: true };
  }

  /** CollectFields of the specification (§6.3.2) for types that are all objects. */
  #collect({ selections }: SelectionSetNode, parent: GraphQLObjectType, into: Selected, spread: Set<string>): void {
    for (const selection of selections) {
      if (!this.#isIncluded(selection)) continue;
      if (selection.kind === Kind.FIELD) {
        const key = (selection.alias ?? selection.name).value;
        into.set(key, [...(into.get(key) ?? []), selection]);
        continue;
      }
      const name = selection.kind === Kind.FRAGMENT_SPREAD ? selection.name.value : undefined;
      if (name !== undefined && spread.has(name)) continue;
      if (name !== undefined) spread.add(name);
      const fragment = selection.kind === Kind.FRAGMENT_SPREAD ? this.#fragment(selection.name.value) : selection;
      if ((fragment.typeCondition?.name.value ?? parent.name) !== parent.name) throw new NotPlanned();
      this.#collect(fragment.selectionSet, parent, into, spread);
    }
  }

  #fragment(name: string): FragmentDefinitionNode {
    const fragment = this.asked.fragments[name];
    if (!fragment) throw new NotPlanned();
    return fragment;
  }

  #isIncluded(node: SelectionNode): boolean {
    if (!node.directives?.length) return true;
    const { variableValues } = this.asked;
    return (
      getDirectiveValues(GraphQLSkipDirective, node, variableValues)?.['if'] !== true &&
      getDirectiveValues(GraphQLIncludeDirective, node, variableValues)?.['if'] !== false
    );
  }
}
