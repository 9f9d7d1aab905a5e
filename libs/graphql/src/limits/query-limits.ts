import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  getNamedType,
  getNullableType,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
  isListType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';

/** What one request may ask for. ADR 13 says how the numbers were chosen. */
export const queryLimits = {
  tokens: 1_000,
  levels: 20,
  aliases: 20,
  sets: 50,
  spreads: 20,
  repeats: 4,
  depth: 10,
  cost: 2_000,
} as const;
/** As many errors are told of a request: 100 made an answer of 237 kB to 1 kB (issue 15, M1). */
export const errorLimit = 5;

/** `cost` is the number of objects that the answer may have: each list counts its `first`. */
export type QueryMeasure = { readonly depth: number; readonly cost: number };

type Variables = Readonly<Record<string, unknown>>;

/** No list answers more, except a few that have no pages. */
const pageLimit = 100;

/** How often an operation asks for a root field; a fragment that is spread twice counts once. */
export function countRootField(document: DocumentNode, operation: OperationDefinitionNode, name: string): number {
  const [keys, seen] = [new Set<string>(), new Set<SelectionSetNode>()];
  const look = (set: SelectionSetNode | undefined): void => {
    if (!set || seen.has(set)) return;
    seen.add(set);
    for (const part of set.selections) {
      if (part.kind === Kind.INLINE_FRAGMENT) look(part.selectionSet);
      if (part.kind === Kind.FRAGMENT_SPREAD) look(fragmentsOf(document).get(part.name.value)?.selectionSet);
      if (part.kind === Kind.FIELD && part.name.value === name) keys.add((part.alias ?? part.name).value);
    }
  };
  look(operation.selectionSet);
  return keys.size;
}

/** Measures a validated operation: all its fragments exist and have no cycles. */
export class QueryMeter {
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly #measured = new Map<string, QueryMeasure>();

  constructor(
    private readonly schema: GraphQLSchema,
    document: DocumentNode,
    private readonly variables: Variables,
  ) {
    this.#fragments = fragmentsOf(document);
  }

  measure({ operation, selectionSet }: OperationDefinitionNode): QueryMeasure {
    const root = this.schema.getRootType(operation);
    return root ? this.#ofSelection(selectionSet, root, pageLimit) : { depth: 0, cost: 0 };
  }

  /** @param rows the length of lists that have no `first`: that of the page they belong to */
  #ofSelection({ selections }: SelectionSetNode, parent: GraphQLObjectType, rows: number): QueryMeasure {
    let [depth, cost] = [0, 0];
    for (const selection of selections) {
      const part =
        selection.kind === Kind.FIELD
          ? this.#ofField(selection, parent, rows)
          : selection.kind === Kind.INLINE_FRAGMENT
            ? this.#ofSelection(selection.selectionSet, parent, rows)
            : this.#ofFragment(selection.name.value, parent, rows);
      depth = Math.max(depth, part.depth);
      cost += part.cost;
    }
    return { depth, cost };
  }

  /** Measures each fragment once: 60 of which each spreads the next one twice are 2^60 spreads. */
  #ofFragment(name: string, parent: GraphQLObjectType, rows: number): QueryMeasure {
    const key = `${name} ${rows}`;
    const known = this.#measured.get(key);
    if (known) return known;
    const fragment = this.#fragments.get(name);
    const measured = fragment ? this.#ofSelection(fragment.selectionSet, parent, rows) : { depth: 0, cost: 0 };
    this.#measured.set(key, measured);
    return measured;
  }

  #ofField(field: FieldNode, parent: GraphQLObjectType, rows: number): QueryMeasure {
    const definition = parent.getFields()[field.name.value];
    const type = definition && getNamedType(definition.type);
    // graphql-js has a rule of its own for introspection
    if (!definition || !field.selectionSet || !isObjectType(type)) return { depth: 1, cost: 0 };
    const first = this.#firstOf(field, definition);
    const inner = this.#ofSelection(field.selectionSet, type, first ?? pageLimit);
    const count = isListType(getNullableType(definition.type)) ? (first ?? rows) : 1;
    return { depth: 1 + inner.depth, cost: count * (1 + inner.cost) };
  }

  /** `undefined` for a field that takes no `first`. */
  #firstOf(field: FieldNode, definition: GraphQLField<unknown, unknown>): number | undefined {
    const parameter = definition.args.find(({ name }) => name === 'first');
    if (!parameter) return undefined;
    const given = field.arguments?.find(({ name }) => name.value === 'first')?.value;
    const value =
      given?.kind === Kind.INT
        ? Number(given.value)
        : given?.kind === Kind.VARIABLE
          ? this.variables[given.name.value]
          : parameter.defaultValue;
    // a variable's default counts as the longest page; the resolver refuses what is out of bounds
    return typeof value === 'number' && value >= 1 ? Math.min(value, pageLimit) : pageLimit;
  }
}

function fragmentsOf({ definitions }: DocumentNode): ReadonlyMap<string, FragmentDefinitionNode> {
  const fragments = definitions.filter((part) => part.kind === Kind.FRAGMENT_DEFINITION);
  return new Map(fragments.map((fragment) => [fragment.name.value, fragment]));
}
