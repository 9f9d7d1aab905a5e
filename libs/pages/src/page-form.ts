import { applyDecorators, Header, HttpCode, Post } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';

import { Public } from '#libs/platform/access';
import type { AppError } from '#libs/platform/errors';
import { formMediaType } from '#libs/platform/http';

import { policy, robots } from './page-route.js';

const headers = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': policy,
  'x-robots-tag': robots,
} as const;

type Form = {
  /** The page that says why it failed. */
  readonly failed: (error: AppError, request: FastifyRequest) => string;
  readonly hashesPassword?: boolean;
};

/** A public route that takes a form of a page, and answers a whole page whatever comes of it. */
export const PageForm = (path: string, { failed, hashesPassword = false }: Form): MethodDecorator =>
  applyDecorators(
    Post(path),
    Public(),
    HttpCode(200),
    ...Object.entries(headers).map(([name, value]) => Header(name, value)),
    RouteConfig({
      consumes: [formMediaType],
      hashesPassword,
      errorPage: (error: AppError, request: FastifyRequest) => ({ headers, body: failed(error, request) }),
    }),
  );

/** What was typed into a form, as it came. */
export function typedIn({ body }: FastifyRequest): Readonly<Record<string, string>> {
  if (typeof body !== 'object' || body === null) return {};
  return Object.fromEntries(Object.entries(body).filter(([, value]) => typeof value === 'string'));
}
