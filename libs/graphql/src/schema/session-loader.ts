import DataLoader from 'dataloader';
import type { FastifyRequest } from 'fastify';

import type { SessionsService, SessionView } from '#libs/auth';
import { sourceOf, type RequestContext } from '#libs/platform/access';

/** What all fields of one GraphQL request share. */
export type GraphqlContext = RequestContext & { readonly sessionLoader: SessionLoader };

/** Gathers the users whose sessions one request asks for into one statement. Each request has its own. */
export class SessionLoader {
  readonly #byPageSize = new Map<number, DataLoader<string, readonly SessionView[]>>();

  constructor(
    private readonly sessions: SessionsService,
    private readonly request: FastifyRequest,
  ) {}

  load(userId: string, first: number): Promise<readonly SessionView[]> {
    const loader = this.#byPageSize.get(first) ?? this.#create(first);
    this.#byPageSize.set(first, loader);
    return loader.load(userId);
  }

  #create(first: number): DataLoader<string, readonly SessionView[]> {
    return new DataLoader((ids) => this.sessions.listOfMany(ids, first, sourceOf(this.request)), {
      // only gathers: a field of a mutation must see what the field before it has changed
      cache: false,
      maxBatchSize: 100,
    });
  }
}
