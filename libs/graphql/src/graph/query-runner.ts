import { GraphQLError, locatedError } from 'graphql';

import type { PlannedField, Selection, Shape } from './query-plan.js';

/** Where a value is in the answer, from its end. */
type Path = { readonly prev: Path | undefined; readonly key: string | number };
type Place = Path | undefined;
type Fields = Record<string, unknown>;
export type Executed = { readonly data: Fields | null; readonly errors?: readonly GraphQLError[] };

/** Executes a planned query as the specification has it (GraphQL, October 2021, §6.4). One for each request. */
export class QueryRunner {
  readonly #errors: GraphQLError[] = [];
  readonly #failed = new Set<Place>();

  constructor(private readonly context: unknown) {}

  async run(selection: Selection, root: unknown): Promise<Executed> {
    const data = await this.#dataOf(selection, root);
    return this.#errors.length === 0 ? { data } : { errors: this.#errors, data };
  }

  async #dataOf(selection: Selection, root: unknown): Promise<Fields | null> {
    try {
      return await this.#object(selection, root, undefined);
    } catch (error) {
      this.#note(locatedError(error, undefined), undefined);
      return null;
    }
  }

  #object({ fields, blank }: Selection, source: unknown, place: Place): Fields | Promise<Fields> {
    const done: Fields = { ...blank };
    let pending: Promise<void>[] | undefined;
    try {
      for (const field of fields) {
        const value = this.#field(field, source, place);
        done[field.key] = value;
        if (value instanceof Promise) (pending ??= []).push(fill(done, field.key, value));
      }
    } catch (error) {
      if (!pending) throw error;
      // those may fail as well, and somebody must have waited for them
      return Promise.allSettled(pending).then(() => Promise.reject(error));
    }
    return pending ? Promise.all(pending).then(() => done) : done;
  }

  #field(field: PlannedField, source: unknown, prev: Place): unknown {
    const { key, shape } = field;
    try {
      const value = field.resolve(source, this.context);
      // most values are leaves, which need a path only when they fail
      if (shape.kind === 'leaf' && !isThenable(value)) return leafOf(field, shape, value);
      const path = { prev, key };
      return isThenable(value) ? this.#later(field, value, path) : this.#guarded(field, shape, value, path);
    } catch (error) {
      return this.#orNull(error, field, shape, { prev, key });
    }
  }

  async #later(field: PlannedField, value: PromiseLike<unknown>, path: Path): Promise<unknown> {
    try {
      return await this.#complete(field, field.shape, await value, path);
    } catch (error) {
      return this.#orNull(error, field, field.shape, path);
    }
  }

  /** As `#complete`; what fails is null where the type lets it be. */
  #guarded(field: PlannedField, shape: Shape, value: unknown, path: Path): unknown {
    try {
      const done = this.#complete(field, shape, value, path);
      return done instanceof Promise ? done.catch((error: unknown) => this.#orNull(error, field, shape, path)) : done;
    } catch (error) {
      return this.#orNull(error, field, shape, path);
    }
  }

  #complete(field: PlannedField, shape: Shape, value: unknown, path: Path): unknown {
    if (shape.kind === 'leaf' || isAbsent(value)) return leafOf(field, shape, value);
    if (value instanceof Error) throw value;
    return shape.kind === 'object' ? this.#object(shape, value, path) : this.#list(field, shape.item, value, path);
  }

  /** As `#guarded` for an item of a list; a path is made only when it fails. */
  #leaf(field: PlannedField, item: Shape, value: unknown, path: Path, key: number): unknown {
    try {
      return leafOf(field, item, value);
    } catch (error) {
      return this.#orNull(error, field, item, { prev: path, key });
    }
  }

  #list(field: PlannedField, item: Shape, values: unknown, path: Path): unknown {
    if (!Array.isArray(values)) throw new Error(`Expected Iterable, but did not find one for field "${field.name}".`);
    if (item.kind === 'leaf') return values.map((value: unknown, key) => this.#leaf(field, item, value, path, key));
    const done = values.map((value: unknown, key) => this.#guarded(field, item, value, { prev: path, key }));
    return done.some((value) => value instanceof Promise) ? Promise.all(done) : done;
  }

  /** @throws GraphQLError that says where, if the type does not let the value be null */
  #orNull(error: unknown, { nodes }: PlannedField, { isNullable }: Shape, path: Path): null {
    const located = locatedError(error, nodes, keysOf(path));
    if (!isNullable) throw located;
    this.#note(located, path);
    return null;
  }

  /** Unless what it is part of is null by now. */
  #note(error: GraphQLError, place: Place): void {
    for (let part = place; part; part = part.prev) if (this.#failed.has(part)) return;
    if (this.#failed.has(undefined)) return;
    this.#failed.add(place);
    this.#errors.push(error);
  }
}

const isAbsent = (value: unknown): value is null | undefined => value === null || value === undefined;

/** @throws Error also for an absent list or object that must be there */
function leafOf({ name }: PlannedField, shape: Shape, value: unknown): unknown {
  if (value instanceof Error) throw value;
  if (isAbsent(value)) {
    if (shape.isNullable) return null;
    throw new Error(`Cannot return null for non-nullable field ${name}.`);
  }
  const leaf: unknown = shape.kind === 'leaf' ? shape.type.serialize(value) : undefined;
  if (isAbsent(leaf)) throw new Error(`${name} is not what its type says.`);
  return leaf;
}

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';

async function fill(done: Fields, key: string, value: Promise<unknown>): Promise<void> {
  done[key] = await value;
}

function keysOf(path: Path): (string | number)[] {
  const keys = [];
  for (let part: Place = path; part; part = part.prev) keys.push(part.key);
  return keys.toReversed();
}
