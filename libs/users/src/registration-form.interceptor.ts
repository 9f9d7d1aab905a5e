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

import { anonymous } from '#libs/platform/access';
import { type Config, CONFIG } from '#libs/platform/config';
import { goneSignal, multipartMediaType } from '#libs/platform/http';

import { type PendingPicture, RegistrationPicture } from './registration-picture.js';
import { assertMayCreate } from './user-access.js';

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
    return from(
      this.picture.receive(request.raw, ({ file, fields }) => {
        request.body = fields;
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
