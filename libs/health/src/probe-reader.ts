import { setTimeout as sleep } from 'node:timers/promises';

import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

import { bearerToken, isAdmin, parseServiceKey, ServiceVerifier, TokenVerifier } from '#libs/platform/access';

/** While the database hangs a look-up of the reader would too; the probe must not. */
const patienceMs = 500;

/** Who reads a probe: what is wrong in detail is for administrators and services. */
@Injectable()
export class ProbeReader {
  constructor(
    private readonly tokens: TokenVerifier,
    private readonly services: ServiceVerifier,
  ) {}

  /** A probe is answered whoever asks: bad credentials, or such as cannot be checked now, only get less of an answer. */
  mayReadDetails(request: FastifyRequest): boolean | Promise<boolean> {
    const { authorization, 'x-service-key': key } = request.headers;
    if (authorization === undefined && key === undefined) return false;
    return Promise.race([this.#isKnown(request), sleep(patienceMs, false, { ref: false })]);
  }

  async #isKnown({ headers }: FastifyRequest): Promise<boolean> {
    try {
      const key = parseServiceKey(headers);
      if (key) return (await this.services.verify(key.name, key.secret)).kind === 'service';
      const token = bearerToken(headers);
      return token !== undefined && isAdmin(await this.tokens.verify(token));
    } catch {
      return false;
    }
  }
}
