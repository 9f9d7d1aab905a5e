import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';

import { callerName, sourceOf } from '#libs/platform/access';
import { observeRequests } from '#libs/platform/http';

import { AuditBursts } from './audit-bursts.js';
import type { AuditEvent } from './audit-event.js';

const eventsByCode: Readonly<Record<string, AuditEvent['event']>> = {
  forbidden: 'access-denied',
  'fresh-authentication-required': 'access-denied',
  'invalid-service-key': 'service-key-refused',
  'wrong-password': 'current-password-wrong',
};

/** Records refusals that may be attacks, by the error code of the answer. */
@Injectable()
export class AuditRefusals implements OnModuleInit {
  constructor(
    private readonly host: HttpAdapterHost<FastifyAdapter>,
    private readonly bursts: AuditBursts,
  ) {}

  onModuleInit(): void {
    // the command line has no server
    if (!this.host.httpAdapter) return;
    observeRequests(this.host.httpAdapter.getInstance(), (request) => this.#observe(request));
  }

  #observe(request: FastifyRequest): void {
    const event = request.errorCode === undefined ? undefined : eventsByCode[request.errorCode];
    if (event === undefined) return;
    const source = sourceOf(request);
    const details = { method: request.method, route: request.routeOptions.url ?? 'unmatched' };
    const userId = source.caller.kind === 'user' ? source.caller.userId : undefined;
    const kind = userId === undefined ? source.ip : callerName(source.caller);
    this.bursts.note({ event, userId: event === 'current-password-wrong' ? userId : undefined, details }, kind, source);
  }
}
