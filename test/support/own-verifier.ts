import { createVerifier, type Verifier, type VerifierOptions } from '#verifier';

import { signInAdmin } from './people.js';
import { newService } from './services.js';
import type { Gatehouse } from './start-gatehouse.js';

/** The name that Gatehouse has in tests, wherever it listens. */
export const issuer = 'http://gatehouse.test';

/** A verifier of a service that may do all it needs, for tokens of Gatehouse's own audience. */
export async function ownVerifier(gatehouse: Gatehouse, options: Partial<VerifierOptions> = {}): Promise<Verifier> {
  const { token } = await signInAdmin(gatehouse);
  const { name, secret } = await newService(gatehouse, { token, scopes: ['revocations:read', 'tokens:introspect'] });
  const serviceKey = `${name}.${secret}`;
  const verifier = createVerifier({ issuer, audience: issuer, url: gatehouse.url, serviceKey, ...options });
  await verifier.ready();
  return verifier;
}
