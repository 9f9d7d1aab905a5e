import { Injectable } from '@nestjs/common';
import DataLoader from 'dataloader';

import { SessionsService, type SessionView } from '#libs/auth';
import { sourceOf, type RequestContext } from '#libs/platform/access';

type Loaders = Map<number, DataLoader<string, readonly SessionView[]>>;

/** Gathers the users whose sessions one request asks for into one statement. */
@Injectable()
export class SessionLoader {
  readonly #byRequest = new WeakMap<RequestContext, Loaders>();

  constructor(private readonly sessions: SessionsService) {}

  load(userId: string, first: number, context: RequestContext): Promise<readonly SessionView[]> {
    const loaders = this.#byRequest.get(context) ?? new Map();
    this.#byRequest.set(context, loaders);
    const known = loaders.get(first) ?? this.#create(first, context);
    loaders.set(first, known);
    return known.load(userId);
  }

  #create(first: number, { request }: RequestContext): DataLoader<string, readonly SessionView[]> {
    return new DataLoader((ids) => this.sessions.listOfMany(ids, first, sourceOf(request)), {
      // gathers only: a field of a mutation must see what the one before it has changed
      cache: false,
      maxBatchSize: 100,
    });
  }
}
