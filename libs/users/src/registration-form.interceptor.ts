import { hash } from 'node:crypto';

import {
  type CallHandler,
  createParamDecorator,
  type ExecutionContext,
  Inject,
  Injectable,
  type NestInterceptor,
} from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { from, lastValueFrom, type Observable } from 'rxjs';

import { anonymous, callerNow } from '#libs/platform/access';
import { type Config, CONFIG } from '#libs/platform/config';
import { goneSignal, multipartMediaType } from '#libs/platform/http';

import { type PendingPicture, RegistrationPicture } from './registration-picture.js';
import { assertMayCreate } from './user-access.js';
import { createUserSchema } from './users.schema.js';

const pictures = new WeakMap<FastifyRequest, PendingPicture>();

/** Who registers: whether they still wait for the answer, and the picture, if they sent a form with one. */
export type Registrant = { readonly signal: AbortSignal; readonly picture: PendingPicture | undefined };

/** The `Registrant` of the request. */
export const Registering = createParamDecorator((_: undefined, context: ExecutionContext): Registrant => ({
  signal: goneSignal(context),
  picture: pictures.get(context.switchToHttp().getRequest<FastifyRequest>()),
}));

/** Lets a registration come as a form: its text fields become the body, which is then checked like any other. */
@Injectable()
export class RegistrationForm implements NestInterceptor {
  constructor(
    private readonly picture: RegistrationPicture,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    if (!request.headers['content-type']?.toLowerCase().startsWith(multipartMediaType)) return next.handle();
    assertMayCreate({}, request.principal ?? anonymous, this.config.REGISTRATION);
    const askAgain = callerNow(request);
    return from(
      this.picture.receive(request.raw, async ({ file, fields }) => {
        assertMayCreate({}, await askAgain(), this.config.REGISTRATION);
        request.body = withoutBlanks(fields);
        if (file) pictures.set(request, this.#pending(file));
        return lastValueFrom(next.handle());
      }),
    );
  }

  #pending(file: Buffer): PendingPicture {
    return {
      digest: hash('sha256', file),
      keep: (signal) => this.picture.keep(file, signal),
      link: (em, named) => this.picture.link(em, named),
    };
  }
}

/** A browser sends every field of a form, also those that nothing was written in. What must be there stays, and is refused. */
function withoutBlanks(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const optional = Object.entries(createUserSchema.shape).filter(([, field]) => field.safeParse(undefined).success);
  const names = new Set(optional.map(([name]) => name));
  const isBlank = ([name, value]: [string, unknown]): boolean =>
    names.has(name) && typeof value === 'string' && value.trim() === '';
  return Object.fromEntries(Object.entries(fields).filter((field) => !isBlank(field)));
}
