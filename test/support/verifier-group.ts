import { expect } from 'vitest';

import { createVerifier, type Verifier, VerifyError, type VerifierOptions } from '#verifier';

import { newPerson, signIn, signInAdmin } from './people.js';
import { newService, type Service } from './services.js';
import type { Gatehouse } from './start-gatehouse.js';

/** Other services with Gatehouse's verifier. */
export type VerifierGroup = {
  readonly service: Service;
  readonly audience: string;
  readonly verifiers: readonly Verifier[];
  /** What each says to a token: `accepted`, or the code of the refusal. */
  readonly verdicts: (token: string) => Promise<string[]>;
  readonly close: () => Promise<void>;
};

type Given = Partial<VerifierOptions> & {
  /** Of the service: the feed alone, unless it says more. */
  readonly scopes?: readonly string[];
};

/** A busy machine is no outage: what it takes to hear of something is measured elsewhere. */
const patient = { afterMs: 60_000, then: 'refuse' } as const;

/**
 * Two verifiers that hear by the stream and one that polls, of one service. Without the right to
 * introspect they have nothing but the feed to judge by.
 */
export async function startVerifierGroup(gatehouse: Gatehouse, given: Given = {}): Promise<VerifierGroup> {
  const { scopes = ['revocations:read'], ...options } = given;
  const { token } = await signInAdmin(gatehouse);
  const service = await newService(gatehouse, { token, scopes });
  const all: VerifierOptions = {
    issuer: gatehouse.url,
    audience: gatehouse.url,
    serviceKey: service.headers['x-service-key'],
    staleness: patient,
    keyCooldownMs: 100,
    ...options,
  };
  const verifiers = [createVerifier(all), createVerifier(all), createVerifier({ ...all, fetch: withoutStreams })];
  await Promise.all(verifiers.map((verifier) => verifier.ready()));
  return {
    service,
    audience: all.audience,
    verifiers,
    verdicts: (token) => Promise.all(verifiers.map((verifier) => verdictOf(verifier, token))),
    close: async () => {
      await Promise.all(verifiers.map((verifier) => verifier.close()));
    },
  };
}

export async function verdictOf(verifier: Verifier, token: string): Promise<string> {
  try {
    await verifier.verify(token);
    return 'accepted';
  } catch (error) {
    if (error instanceof VerifyError) return error.code;
    throw error;
  }
}

/** A middlebox that lets no stream through. */
const withoutStreams: typeof fetch = async (input, init) => {
  const { href } = new URL(input instanceof Request ? input.url : input);
  return href.includes('/revocations/stream') ? new Response('Bad Gateway', { status: 502 }) : fetch(input, init);
};

/** Waits until each has heard of whatever ended before: they refuse what ends after it. */
export async function untilHeard(gatehouse: Gatehouse, group: VerifierGroup): Promise<void> {
  const somebody = await newPerson(gatehouse);
  const { token } = await signIn(gatehouse, { ...somebody, audience: group.audience });
  expect((await gatehouse.api.post('/v1/auth/logout-all', { token: somebody.token })).status).toBe(204);
  await expect.poll(() => saidOf(group, token), { timeout: 20_000, interval: 5 }).toBe('dead');
}

/** A verifier may see that a retired key has left the JWK set before it hears of the end. */
const words: Readonly<Record<string, string>> = { accepted: 'alive', revoked: 'dead', 'unknown-key': 'dead' };

/** What all of them say to a token: `alive`, `dead`, or whatever they are not of one mind about. */
export async function saidOf({ verdicts }: VerifierGroup, token: string): Promise<string> {
  return [...new Set((await verdicts(token)).map((verdict) => words[verdict] ?? verdict))].join(' and ');
}
