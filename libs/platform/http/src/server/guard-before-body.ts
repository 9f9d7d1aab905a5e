import { type CanActivate, type ExecutionContext, RequestMethod, type Type } from '@nestjs/common';
import { METHOD_METADATA } from '@nestjs/common/constants.js';
import { MetadataScanner, ModulesContainer } from '@nestjs/core';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { type NestFastifyApplication, RouteConfig } from '@nestjs/platform-fastify';
import { FASTIFY_ROUTE_CONFIG_METADATA } from '@nestjs/platform-fastify/constants.js';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** The method of a controller that answers a route. */
type Endpoint = { readonly controller: Type; readonly handler: (...parameters: never[]) => unknown };

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Known for routes whose guards run before the body is read. */
    endpoint?: Endpoint;
  }
}

type Guards = {
  readonly guards: readonly CanActivate[];
  /**
   * Whether the guards cannot tell before they see the body: they then run after it, as Nest has
   * them run.
   */
  readonly isBodyNeeded: (context: ExecutionContext) => boolean;
};

const bodyless = new Set<RequestMethod>([RequestMethod.GET, RequestMethod.HEAD, RequestMethod.OPTIONS]);

/**
 * Runs guards of routes that take bodies before the body is read: Nest runs them when it has been
 * read and parsed, which costs more than the refusal, and strangers are not to be told what is
 * wrong with theirs. `isAdmitted` tells the rate limits that the request is counted; who calls is
 * asked again by Nest's own call. Call before the routes are made.
 */
export function guardBeforeBodies(app: NestFastifyApplication, { guards, isBodyNeeded }: Guards): void {
  nameEndpoints(app.get(ModulesContainer));
  const admit = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const { endpoint } = request.routeOptions.config;
    if (!endpoint) return;
    const context = new ExecutionContextHost([request, reply], endpoint.controller, endpoint.handler);
    if (isBodyNeeded(context)) return;
    for (const guard of guards) await guard.canActivate(context);
    request.isAdmitted = true;
  };
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onRoute', (route) => {
      if (route.config?.endpoint) route.preParsing = [admit, ...[route.preParsing ?? []].flat()];
    });
}

/**
 * Tells each route with a body which method answers it. Nest hands the route's configuration on to
 * Fastify.
 */
function nameEndpoints(modules: ModulesContainer): void {
  const scanner = new MetadataScanner();
  const controllers = [...modules.values()].flatMap((module) => Array.from(module.controllers.values()));
  for (const { metatype: controller } of controllers) {
    if (!isClass(controller)) continue;
    for (const name of scanner.getAllMethodNames(controller.prototype)) {
      const handler: unknown = Reflect.get(controller.prototype, name);
      if (!isMethod(handler)) continue;
      const method: unknown = Reflect.getMetadata(METHOD_METADATA, handler);
      if (typeof method !== 'number' || bodyless.has(method)) continue;
      const config: unknown = Reflect.getMetadata(FASTIFY_ROUTE_CONFIG_METADATA, handler);
      const endpoint: Endpoint = { controller, handler };
      const descriptor = { value: handler };
      RouteConfig({ ...(isObject(config) && config), endpoint })(controller, name, descriptor);
    }
  }
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
const isMethod = (value: unknown): value is Endpoint['handler'] => typeof value === 'function';
const isClass = (value: unknown): value is Type => typeof value === 'function';
