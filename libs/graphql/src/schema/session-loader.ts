import DataLoader from 'dataloader';
import type { FastifyRequest } from 'fastify';

import type { SessionsService, SessionView } from '#libs/auth';
import { sourceOf, type RequestContext } from '#libs/platform/access';

/** What all fields of one GraphQL request share. */
export type GraphqlContext = RequestContext & { readonly sessionLoader: SessionLoader };

/** Reads the sessions of all users that one request asks for by one statement. One per request. */
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
      // it must not keep answers: a field of a mutation sees what the field before it has changed
      cache: false,
      maxBatchSize: 100,
    });
  }
}
