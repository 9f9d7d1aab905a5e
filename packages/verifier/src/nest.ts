import {
  type CanActivate,
  createParamDecorator,
  type CustomDecorator,
  type DynamicModule,
  type ExecutionContext,
  HttpException,
  type MiddlewareConsumer,
  type NestModule,
  type OnModuleDestroy,
  SetMetadata,
} from '@nestjs/common';
import { APP_GUARD, Reflector } from '@nestjs/core';

import { serveProtectedResource } from './express.js';
import { defaultStaleness } from './options.js';
import { problemOf } from './problem.js';
import type { Verified, Verifier } from './verifier.js';
import { parseVerifyOptions, type VerifyOptions } from './verify-options.js';

/** What the verifier is injected by. */
export const VERIFIER = Symbol.for('@gatehouse/verifier');

const requirements = '@gatehouse/verifier:requirements';
type Requirement = VerifyOptions | 'no token';

/**
 * What a route or a controller asks for; what the route says replaces what its controller says.
 * @throws TypeError for wrong options
 */
export function RequireToken(options: VerifyOptions = {}): CustomDecorator {
  parseVerifyOptions(options, defaultStaleness);
  return SetMetadata(requirements, options);
}

/** Opens a route or a controller to everybody. */
export const WithoutToken = (): CustomDecorator => SetMetadata(requirements, 'no token' satisfies Requirement);

/** A parameter of a handler: the token of the request. */
export const VerifiedToken = createParamDecorator(
  (_: unknown, context: ExecutionContext) => requestOf(context).verified,
);

/** Guards all routes of an application but those `WithoutToken`. */
export class VerifierGuard implements CanActivate {
  constructor(
    private readonly verifier: Verifier,
    private readonly reflector = new Reflector(),
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (context.getType() !== 'http') throw new Error('The verifier guards requests over HTTP only.');
    const of = [context.getHandler(), context.getClass()];
    const required = this.reflector.getAllAndOverride<Requirement | undefined>(requirements, of) ?? {};
    if (required === 'no token') return true;
    const request = requestOf(context);
    try {
      request.verified = await this.verifier.verifyAuthorization(request.headers.authorization, required);
      return true;
    } catch (error) {
      throw toHttpException(error, context.switchToHttp().getResponse<Answer>());
    }
  }
}

/**
 * `VerifierModule.forRoot(verifier)` guards the application, gives the verifier under `VERIFIER`,
 * serves the metadata of the protected resource (RFC 9728) and closes the verifier at the end.
 */
export class VerifierModule implements NestModule, OnModuleDestroy {
  constructor(private readonly verifier: Verifier) {}

  static forRoot(verifier: Verifier): DynamicModule {
    // a class of its own: Nest makes it with what is injected, and knows modules by their class
    class RootModule extends VerifierModule {
      constructor() {
        super(verifier);
      }
    }
    return {
      module: RootModule,
      global: true,
      providers: [
        { provide: VERIFIER, useValue: verifier },
        { provide: APP_GUARD, useValue: new VerifierGuard(verifier) },
      ],
      exports: [VERIFIER],
    };
  }

  configure(consumer: MiddlewareConsumer): void {
    const { protectedResource } = this.verifier;
    if (!protectedResource) return;
    consumer.apply(serveProtectedResource(this.verifier)).forRoutes(new URL(protectedResource.url).pathname);
  }

  onModuleDestroy(): Promise<void> {
    return this.verifier.close();
  }
}

type RequestWithToken = { readonly headers: { readonly authorization?: string }; verified?: Verified };
/** `header` is what Express's and Fastify's answers have in common. */
type Answer = { header(name: string, value: string): unknown };

const requestOf = (context: ExecutionContext): RequestWithToken => context.switchToHttp().getRequest();

/** Nest's own filter answers it; the headers have to be on the answer before. */
function toHttpException(error: unknown, answer: Answer): unknown {
  const problem = problemOf(error);
  if (!problem) return error;
  for (const [name, value] of Object.entries(problem.headers)) answer.header(name, value);
  return new HttpException(problem.body, problem.status, { cause: error });
}
